import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { describeXattrs } from "../../../src/consumers/xattrs.ts";
import { print } from "./helpers.ts";

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const describeOne = (name: string, hex: string) => describeXattrs(new Map([[name, bytes(hex)]]), print);

describe("file capabilities are as getcap(8) prints them", () => {
  // recorded from setcap(8) with getfattr -e hex
  test.each([
    ["01000002 00200000 00000000 00000000 00000000", "cap_net_raw=ep"],
    ["00000002 00200000 00000000 00000000 00000000", "cap_net_raw=p"],
    ["01000002 03000000 00000000 00000000 00000000", "cap_chown,cap_dac_override=ep"],
    ["01000002 00000000 00000000 80000000 00000000", "cap_bpf=ep"],
    ["01000002 01000000 02000000 00000000 00000000", "cap_chown=ep cap_dac_override=ei"],
    ["01000002 ffffffff 00000000 ff010000 00000000", "=ep"],
    ["00000002 00000000 00000000 00000000 00000000", "="],
    ["01000003 00200000 00000000 00000000 00000000 e8030000", "cap_net_raw=ep [rootid=1000]"],
    ["01000002 00000000 00000000 00000080 00000000", "cap_63=ep"],
  ])("%s", (hex, text) => {
    expect(describeOne("security.capability", hex)).toEqual({ capabilities: text });
  });

  test("what is none is told by its fingerprint", () => {
    expect(describeOne("security.capability", "01000002 00")).toHaveProperty("xattrs");
  });
});

test("ACLs are as getfacl(1)'s short text", () => {
  const acl = "02000000 01000600ffffffff 02000400e8030000 04000400ffffffff 10000400ffffffff 20000000ffffffff";
  const text = "u::rw-,u:1000:r--,g::r--,m::r--,o::---";
  expect(describeOne("system.posix_acl_access", acl)).toEqual({ acl: text });
  expect(describeOne("system.posix_acl_default", acl)).toEqual({ defaultAcl: text });
  expect(describeOne("system.posix_acl_access", "03000000")).toHaveProperty("xattrs");
});

test("labels are shown, all else is a fingerprint", () => {
  const value = (text: string) => new TextEncoder().encode(text);
  const xattrs = new Map([
    ["security.selinux", value("system_u:object_r:shadow_t:s0\0")],
    ["user.token", value("hunter2")],
  ]);
  expect(describeXattrs(xattrs, print)).toEqual({
    xattrs: { "security.selinux": "system_u:object_r:shadow_t:s0", "user.token": print("hunter2") },
  });
  expect(describeXattrs(undefined, print)).toEqual({});
});

test("takes any bytes", () => {
  const name = fc.constantFrom("security.capability", "system.posix_acl_access", "system.posix_acl_default", "user.x");
  const header = fc.constantFrom("", "01000002", "01000003", "00000001", "02000000").map((hex) => [...bytes(hex)]);
  fc.assert(
    fc.property(name, header, fc.uint8Array({ maxLength: 64 }), (of, first, rest) => {
      expect(describeXattrs(new Map([[of, Uint8Array.from([...first, ...rest])]]), print)).not.toEqual({});
    }),
    { numRuns: 2000 },
  );
});
