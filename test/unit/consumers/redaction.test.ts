import { describe, expect, test } from "bun:test";
import type { Keys } from "../../../src/consumers/consumer.ts";
import { contentConsumer } from "../../../src/consumers/content.ts";
import { redact } from "../../../src/consumers/redact.ts";
import { type Redaction, redactionOf } from "../../../src/consumers/redaction.ts";
import { BpfinkError } from "../../../src/errors.ts";
import { fileLook, keys, print } from "./helpers.ts";

const hidden = (secret: string) => `[redacted ${print(secret)}]`;

describe("rules of one's own", () => {
  test("a pattern's match, or its first group, is a secret", () => {
    const rules = redactionOf({ patterns: ["\\bcard \\d{4}", "^pin=(\\d+)"] });
    expect(redact("my card 1234\npin=987\npassword=x\nx pin=1", print, rules)).toBe(
      `my ${hidden("card 1234")}\npin=${hidden("987")}\npassword=${hidden("x")}\nx pin=1`,
    );
  });

  test("the words of keys can be others", () => {
    const rules = redactionOf({ keys: ["pin_code", "a+b"] });
    expect(redact("PINCODE: 1\npin-code = 2\na+b=3\npassword=open", print, rules)).toBe(
      `PINCODE: ${hidden("1")}\npin-code = ${hidden("2")}\na+b=${hidden("3")}\npassword=open`,
    );
    expect(redact("password=open", print, redactionOf({ keys: [] }))).toBe("password=open");
  });

  test("hashes are always secrets", () => {
    const text = "x $6$abcdefgh$ijklmnop";
    expect(redact(text, print, redactionOf({ keys: [] }))).toBe(`x ${hidden("$6$abcdefgh$ijklmnop")}`);
  });

  test.each(["(", "a*", ""])("%j is refused", (pattern) => {
    expect(() => redactionOf({ patterns: [pattern] })).toThrow(BpfinkError);
  });
});

describe("when the rules change", () => {
  const consumer = contentConsumer("text");
  const parse = (text: string, redaction?: Redaction) => {
    const these: Keys = redaction === undefined ? keys : { ...keys, redaction };
    return JSON.parse(JSON.stringify(consumer.parse("/x", fileLook(text), these)));
  };
  const rules = redactionOf({ patterns: ["pin=(\\d+)"] });

  test("a text that did not is no change", () => {
    expect(consumer.compare("/x", parse("pin=12\n"), parse("pin=12\n", rules))).toBeUndefined();
    expect(consumer.compare("/x", parse("pin=12\n", rules), parse("pin=12\n"))).toBeUndefined();
  });

  test("a text that did shows neither its old secrets nor its new ones", () => {
    const difference = consumer.compare("/x", parse("pin=12\n"), parse("pin=13\n", rules));
    expect(difference).toMatchObject({
      action: "modified",
      consumer: "diff",
      details: { diff: "", notes: ["the rules of what is redacted changed: the texts are not compared"] },
    });
    expect(JSON.stringify(difference)).not.toMatch(/pin=1/);
  });
});
