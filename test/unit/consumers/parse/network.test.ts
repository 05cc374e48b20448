// Held to the pam_access of this machine.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { networkProblem } from "../../../../src/consumers/parse/network.ts";
import { PamAccess } from "../../../oracles/pam-access.ts";

/** Another address of the family. */
const another = (address: string) => (address.includes(":") ? "7777:7777::7777" : "177.177.177.177");

const NOTHING = "a network that cannot be: it matches nothing";
const ITSELF = "a mask that is none to pam_access: the network matches its own address alone";

const examples: readonly (readonly [network: string, problem: string | undefined])[] = [
  ...["8", "010", "0x10", "+8", "32", "040", "0x20", "255.0.0.0", "0.0.0.0"].map(
    (mask) => [`10.0.0.0/${mask}`, undefined] as const,
  ),
  ...["33", "041", "0x21", "08", "0x", "-1", "", "8/8", "8.", "255.0.0", "255.0.0.00", "ff00"].map(
    (mask) => [`10.0.0.0/${mask}`, NOTHING] as const,
  ),
  ...["0", "00", "0x0", "-0", "ffff::"].map((mask) => [`10.0.0.0/${mask}`, ITSELF] as const),
  ...["1", "128", "0200", "ffff::"].map((mask) => [`2001:db8::/${mask}`, undefined] as const),
  ...["129", "0201", "ffff:::", "x"].map((mask) => [`2001:db8::/${mask}`, NOTHING] as const),
  ...["0", "255.0.0.0"].map((mask) => [`2001:db8::/${mask}`, ITSELF] as const),
  ...["10.0.0/8", "10.0.0.0.0/8", "300.0.0.0/8", "010.0.0.0/8", "fe80::%eth0/64", "1:2/8"].map(
    (network) => [network, NOTHING] as const,
  ),
  ...["10.0.0.0", "pts/0", "host/x", "10.0.0.", ".example.com", "@nets/8"].map((word) => [word, undefined] as const),
];

test("examples", () => {
  expect(examples.map(([network]) => [network, networkProblem(network)])).toEqual(examples.map((one) => [...one]));
});

test("a network is wrong where pam_access says so", () => {
  const number = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 140 }), fc.integer());
  const mask = fc.oneof(
    number.map(String),
    number.map((n) => `0${n.toString(8)}`),
    number.map((n) => `0x${n.toString(16)}`),
    fc.ipV4(),
    fc.ipV6(),
    fc.stringMatching(/^[-+]?[0-9xX./:f]{0,6}$/),
    fc.tuple(fc.ipV4Extended(), fc.constantFrom("", "/")).map((parts) => parts.join("")),
  );
  const address = fc.oneof(
    fc.constantFrom("10.0.0.0", "192.168.0.0", "2001:db8::", "::"),
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4Extended(),
    fc.stringMatching(/^[0-9.:]{1,9}$/),
  );
  const random = fc.sample(
    fc
      .tuple(address, mask)
      .map((parts) => parts.join("/"))
      // what ends or begins with a dot is something else; and so is what has letters, but for an IPv6 address
      .filter((network) => !/\.$|^\./.test(network) && /^(?:[\d.]+|[^/]*:[^/]*)\//.test(network)),
    { numRuns: 800, seed: 4 },
  );
  const networks = [...examples.map(([network]) => network).filter((word) => /^[\d.:]+\//.test(word)), ...random];
  const hostOf = (network: string) => network.slice(0, network.indexOf("/"));
  const rules = (network: string) => `+:root:${network}\n-:ALL:ALL\n`;
  using pam = new PamAccess();
  const own = pam.letsIn(networks.map((network) => [rules(network), hostOf(network)]));
  const other = pam.letsIn(networks.map((network) => [rules(network), another(hostOf(network))]));
  const differing = networks.flatMap((network, i) => {
    const problem = networkProblem(network);
    const isRight = problem === NOTHING ? !own[i] : own[i] === true && (problem === undefined || other[i] !== true);
    return isRight ? [] : [`${network}: ${problem}, but ${own[i]} ${other[i]}`];
  });
  expect(differing).toEqual([]);
  expect(own.filter(Boolean).length).toBeGreaterThan(200);
  expect(own.filter((matches) => !matches).length).toBeGreaterThan(200);
});
