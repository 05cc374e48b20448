// access.conf(5), as an administrator changes it.
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { expect, test } from "bun:test";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { run, SLOW } from "../e2e/process.ts";

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

test(
  "other separators in pam.d are a change of the rules, by whoever changed them there",
  async () => {
    using root = new TemporaryDirectory();
    const path = "/etc/security/access.conf";
    const service = "/etc/pam.d/login";
    root.write(path, "+:bob|eve:ALL\n");
    const line = "account required pam_access.so";
    const file = root.write(service, `${line}\n`);
    await using bp = await Bpfink.start({ root: root.path, watch: [path, "/etc/pam.d/*"] });
    const change = async (options: string) => {
      const { pid } = await run("sh", "-c", `echo '${line} ${options}' > ${file}`);
      const lines = await bp.rest();
      for (const { process } of lines) expect(process).toMatchObject({ pid, name: "sh" });
      return Object.fromEntries(lines.map((one) => [one.file, one]));
    };

    expect(await change("fieldsep=|")).toMatchObject({
      [service]: { consumer: "diff" },
      [path]: {
        ...{ action: "modified", consumer: "access" },
        notes: ["pam_access is told other separators: it reads the same text in another way"],
        del: { grant: ["bob|eve"] },
        add: { grant: [], deny: [] },
        access: { rules: [] },
        problems: [{ line: 1 }],
      },
    });
    expect(Object.keys(await change("fieldsep=| debug"))).toEqual([service]); // nothing that is read otherwise
    expect(await change("debug")).toMatchObject({ [path]: { add: { grant: ["bob|eve"] } } });
  },
  SLOW,
);
