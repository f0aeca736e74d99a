import { describe, expect, it } from "vitest";
import { admit } from "./admit.ts";
import { admitAside, createAdmissionThread } from "./admitAside.ts";
import { op, testModule } from "./testModule.ts";

const good = (name: string) => testModule({ manifest: JSON.stringify({ name }) });
/** Within all limits, and 140,000 stores to be metered: a second's work. */
const slow = () =>
  testModule({ more: new Array(15).fill(new Array(9_000).fill([...op.i32(0), ...op.i32(1), ...op.store()]).flat()) });

describe("admitAside()", () => {
  it("says what admit says, of good and of bad", async () => {
    for (const bytes of [good("whale"), testModule({ onTx: [0x12, 0] }), new Uint8Array(3), new Uint8Array(2 ** 21)])
      expect(await admitAside(bytes)).toEqual(admit(bytes));
  });

  it("answers many that were given at once, each with its own", async () => {
    const names = Array.from({ length: 50 }, (_, i) => `rule-${i}`);
    const admissions = await Promise.all(names.map((name) => admitAside(good(name))));
    expect(admissions.map((admission) => admission.ok && admission.manifest.name)).toEqual(names);
  });

  it("refuses what takes too long, and those behind it do not notice", async () => {
    const { admit } = createAdmissionThread();
    expect(await admit(good("warm"))).toMatchObject({ ok: true });
    const [before, late, ...behind] = await Promise.all([
      admit(good("before")),
      admit(slow(), { timeoutMs: 10 }),
      ...["a", "b", "c"].map((name) => admit(good(name))),
    ]);
    expect(late).toMatchObject({
      ok: false,
      findings: [
        {
          code: "timeout",
          message:
            "Cannot admit the module: it took more than 10 ms to check and compile, expected a few. Make it smaller",
        },
      ],
    });
    for (const admission of [before, ...behind]) expect(admission).toMatchObject({ ok: true });
    expect(await admit(slow(), { timeoutMs: 600_000 })).toMatchObject({ ok: true });
  });

  it("refuses what brings the thread down, and goes on in a new one", async () => {
    const { admit } = createAdmissionThread({ heapMb: 12 });
    const [crash, behind] = await Promise.all([admit(slow()), admit(testModule({ onTx: [0x12, 0] }))]);
    const message = expect.stringMatching(/^Cannot admit the module: its admission broke off: .*memory/);
    expect(crash).toMatchObject({ ok: false, findings: [{ code: "crash", message }] });
    expect(behind.ok).toBe(false); // answered, if only by another crash: 12 MiB are close to what an idle thread takes
  });
});
