import { expect, test } from "bun:test";
import fc from "fast-check";
import { parsePamAccess } from "../../../../src/consumers/parse/pam.ts";

test("any text is read, and a service that is whole is read whatever stands on the lines around it", () => {
  const word = fc.constantFrom(
    "[",
    "]",
    "\\]",
    "\\",
    "#",
    " ",
    "\t",
    "\r",
    "\0",
    "pam_access.so",
    "fieldsep=",
    "accessfile=",
  );
  const text = fc.array(fc.oneof(word, fc.string({ unit: "binary", maxLength: 10 }))).map((words) => words.join(""));
  const good = "account required pam_access.so accessfile=/a fieldsep=| [listsep= ,]";
  fc.assert(
    fc.property(text, text, (before, after) => {
      const found = parsePamAccess(`${before}\n\n${good}\n${after}`);
      expect(found).toContainEqual({ file: "/a", separators: { field: "|", list: " ," } });
      expect(found.length).toBeLessThanOrEqual(`${before}\n${after}`.split("\n").length + 1);
    }),
    { numRuns: 1000 },
  );
});

test("huge lines take no time", () => {
  const begin = performance.now();
  for (const piece of ["[", "]", "\\]", "\\\n", "#", " ", "a ", "[a"])
    parsePamAccess(`pam_access.so ${piece.repeat(65_536)}`);
  expect(performance.now() - begin).toBeLessThan(2000);
});
