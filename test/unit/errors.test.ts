import { expect, test } from "bun:test";
import { BpfinkError, ExitStatus, messageOf } from "../../src/errors.ts";

test("exit statuses are those that the README promises", () => {
  expect(ExitStatus).toEqual({ ok: 0, differs: 1, usage: 2, cannotWatch: 3, database: 4 });
});

test("an error says what failed, what to do, and how the process ends", () => {
  const cause = new Error("EPERM");
  const error = new BpfinkError(ExitStatus.cannotWatch, "cannot watch /x", "run it as root", { cause });
  expect(error).toBeInstanceOf(Error);
  const { name, message, hint, status } = error;
  expect({ name, message, hint, status, cause: error.cause }).toEqual({
    name: "BpfinkError",
    message: "cannot watch /x",
    hint: "run it as root",
    status: 3,
    cause,
  });
  expect(String(error)).toBe("cannot watch /x; run it as root");
});

test("the message of anything that is thrown is one line", () => {
  const named = new BpfinkError(ExitStatus.usage, "no file /a\nb\u001b[31m", "try\r\nanother");
  expect(messageOf(named)).toBe("no file /a b [31m; try another");
  expect(messageOf(new TypeError("x is\n\n\tno y\u007f!"))).toBe("x is no y !");
  expect(messageOf("text\0")).toBe("text ");
  expect([undefined, null, 7, Symbol("s")].map(messageOf)).toEqual(["undefined", "null", "7", "Symbol(s)"]);
});

test("what is no control character is left alone", () => {
  expect(messageOf(new Error('/etc/ä ö/😀 "x"'))).toBe('/etc/ä ö/😀 "x"');
});
