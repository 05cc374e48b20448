import { createHash } from "node:crypto";
import { expect, test } from "bun:test";
import fc from "fast-check";
import { isKeyType, readPublicKey } from "../../../../src/consumers/parse/ssh-key.ts";

/** A string of RFC 4251, 5. */
function string(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

const PLAIN = ["ssh-ed25519", "ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"];
const name = fc.constantFrom(
  ...PLAIN,
  "ssh-rsa-cert-v01@openssh.com",
  "sk-ssh-ed25519-cert-v01@openssh.com",
  "none",
  "",
);
const part = fc.oneof(
  fc.constant("nistp256"),
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  fc.uint8Array({ maxLength: 40 }),
);

test("any blob is a key with its own digest, or none", () => {
  const parts = fc.array(part, { maxLength: 6 });
  const damage = fc.tuple(fc.nat(200), fc.uint8Array({ maxLength: 4 }));
  let taken = 0;
  fc.assert(
    fc.property(name, name, parts, damage, (type, inner, all, [at, bytes]) => {
      const whole = Buffer.concat([string(inner), ...all.map(string)]);
      const blob = Buffer.concat([whole.subarray(0, at), Buffer.from(bytes), whole.subarray(at)]);
      const key = readPublicKey(type, blob.toString("base64"));
      if (key === undefined) return;
      taken++;
      expect(isKeyType(type)).toBe(true);
      expect(key.bits).toBeGreaterThan(0);
      if (!/cert|rsa|dss/.test(type)) {
        const digest = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
        expect(key.fingerprint).toBe(`SHA256:${digest}`);
      }
    }),
    { numRuns: 5000, seed: 1 },
  );
  expect(taken).toBeGreaterThan(0);
});

test("any text is taken for a key's base64 without trouble", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (type, text) => {
      expect(readPublicKey(type, text)).toBeUndefined();
    }),
  );
  const long = "A".repeat(1 << 22);
  const begin = performance.now();
  expect([readPublicKey("ssh-rsa", long), readPublicKey("ssh-rsa", `${long}!`)]).toEqual([undefined, undefined]);
  expect(performance.now() - begin).toBeLessThan(2000);
});
