// access.conf(5), as an administrator changes it.
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { expect, test } from "bun:test";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { SLOW } from "../e2e/process.ts";

test(
  "rules that come, change their origins and their order; a file of PAM's own, with its separators",
  async () => {
    using root = new TemporaryDirectory();
    const path = "/etc/security/access.conf";
    const file = root.write(path, "+:root:LOCAL\n-:ALL:ALL\n");
    const own = root.write("/etc/login.rules", "");
    root.write("/etc/pam.d/login", "account required pam_access.so accessfile=/etc/login.rules fieldsep=| listsep=;\n");
    await using bp = await Bpfink.start({ root: root.path, watch: [path, "/etc/login.rules"] });

    writeFileSync(file, "+:root:LOCAL\n+:(wheel):10.0.0.0/8\n-:ALL:ALL\n");
    expect(await bp.only(path)).toMatchObject({
      action: "modified",
      consumer: "access",
      message: "access entries",
      add: { grant: ["(wheel)"], deny: [], rules: [{ permission: "+", users: ["(wheel)"], origins: ["10.0.0.0/8"] }] },
      del: { grant: [], deny: [], rules: [] },
      access: { grant: ["root", "(wheel)"], deny: ["ALL"] },
    });

    writeFileSync(`${file}.new`, "-:ALL:ALL\n+:root:LOCAL\n+:(wheel):10.0.0.0/8\n");
    renameSync(`${file}.new`, file);
    expect(await bp.only(path)).toMatchObject({
      action: "modified",
      add: { rules: [] },
      access: { deny: ["ALL"], rules: [{ permission: "-" }, { users: ["root"] }, { users: ["(wheel)"] }] },
      notes: ["order changed: the first rule that matches decides"],
    });

    appendFileSync(own, "+|domain users;bob|ALL\n");
    expect(await bp.only("/etc/login.rules")).toMatchObject({
      consumer: "access",
      add: { grant: ["domain users;bob"], rules: [{ users: ["domain users", "bob"], origins: ["ALL"] }] },
    });
  },
  SLOW,
);
