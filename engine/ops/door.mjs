#!/usr/bin/env node
// The container's door: the API answers on loopback only, a published port arrives from elsewhere. `door.mjs FROM TO` takes
// connections on port FROM of every address and hands them to 127.0.0.1:TO. Whoever runs it decides who reaches FROM:
// docker-compose.yml publishes it on the host's own loopback and on no other address.
import { connect, createServer } from "node:net";

const [from, to] = process.argv.slice(2).map(Number);
if (!Number.isInteger(from) || !Number.isInteger(to)) {
  process.stderr.write("Cannot open the door: expected two ports, as in door.mjs 8080 8000\n");
  process.exit(2);
}

const server = createServer((outside) => {
  const inside = connect(to, "127.0.0.1");
  outside.pipe(inside).pipe(outside);
  // One end gone or refused: the other has nobody to talk to.
  outside.on("error", () => inside.destroy());
  inside.on("error", () => outside.destroy());
  outside.on("close", () => inside.destroy());
  inside.on("close", () => outside.destroy());
});
server.maxConnections = 1000;
server.listen(from, () => process.stdout.write(`${server.address().port}\n`));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
