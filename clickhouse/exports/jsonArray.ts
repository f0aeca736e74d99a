import { Transform } from "node:stream";

const NEWLINE = 10;
const COMMA = 44;

/**
 * JSON lines as one JSON array, an element a line. A line break within a text is escaped in JSON, so each one ends a row; it
 * becomes ",\\n" once something follows.
 */
export function jsonArray(): Transform {
  let begun = false;
  let due = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const out = Buffer.allocUnsafe(2 * chunk.length + 4);
      let at = 0;
      if (!begun) at += out.write("[\n");
      begun = true;
      for (let from = 0; from < chunk.length; ) {
        if (due) {
          out[at++] = COMMA;
          out[at++] = NEWLINE;
          due = false;
        }
        const end = chunk.indexOf(NEWLINE, from);
        at += chunk.copy(out, at, from, end < 0 ? chunk.length : end);
        due = end >= 0;
        from = end < 0 ? chunk.length : end + 1;
      }
      done(null, out.subarray(0, at));
    },
    flush(done) {
      done(null, begun ? "\n]\n" : "[]\n");
    },
  });
}
