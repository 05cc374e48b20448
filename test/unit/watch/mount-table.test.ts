import { expect, test } from "bun:test";
import { difference, parseMounts } from "../../../src/watch/mount-table.ts";

const parse = (...lines: string[]) => parseMounts(Buffer.from(`${lines.join("\n")}\n`));
const ROOT = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw";
const BIND = "30 22 254:0 /x /etc/a\\040b rw - ext4 /dev/vda rw";

test("a line of mountinfo, whatever the number of its optional fields", () => {
  expect([...parse(ROOT, BIND, "garbage", "1 2 3").values()]).toEqual([
    { id: 22, root: "/", point: "/", type: "ext4", source: "/dev/vda" },
    { id: 30, root: "/x", point: "/etc/a b", type: "ext4", source: "/dev/vda" },
  ]);
});

test("a mount point that is no UTF-8", () => {
  const line = Buffer.concat([Buffer.from("30 22 0:5 / /m"), Buffer.of(0xff), Buffer.from(" rw - tmpfs none rw\n")]);
  expect([...parseMounts(line).values()].map(({ point }) => point)).toEqual(["/m\udcff"]);
});

test("what came and what went; an id that is used again is another mount", () => {
  const again = "30 22 254:0 /y /etc/a\\040b rw - ext4 /dev/vda rw";
  const points = ({ added, removed }: ReturnType<typeof difference>) =>
    [added, removed].map((mounts) => mounts.map(({ root, point }) => `${root} ${point}`));
  expect(points(difference(parse(ROOT), parse(ROOT, BIND)))).toEqual([["/x /etc/a b"], []]);
  expect(points(difference(parse(ROOT, BIND), parse(ROOT)))).toEqual([[], ["/x /etc/a b"]]);
  expect(points(difference(parse(ROOT, BIND), parse(ROOT, again)))).toEqual([["/y /etc/a b"], ["/x /etc/a b"]]);
});
