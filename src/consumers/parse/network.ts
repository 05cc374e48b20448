/**
 * What is wrong with an origin of access.conf(5) that reads like a network with a mask, as pam_access
 * reads it (network_netmask_match of pam_access.c); undefined where nothing is, or it is no network.
 */
export function networkProblem(origin: string): string | undefined {
  const slash = origin.indexOf("/");
  const [address, mask] = [origin.slice(0, slash), origin.slice(slash + 1)];
  if (slash < 0 || !LIKE_ADDRESS.test(address)) return undefined;
  const family = familyOf(address);
  if (family === undefined) return NOTHING;
  const maskFamily = familyOf(mask);
  if (maskFamily !== undefined) return maskFamily === family ? undefined : ITSELF;
  const bits = NUMBER.test(mask) ? numberOf(mask.trimStart()) : NaN;
  if (!(bits >= 0 && bits <= (family === "IPv4" ? 32 : 128))) return NOTHING;
  return bits === 0 ? ITSELF : undefined;
}

const NOTHING = "a network that cannot be: it matches nothing";
const ITSELF = "a mask that is none to pam_access: the network matches its own address alone";

/** Digits and dots, or something with a colon; "pts/0" is a terminal. */
const LIKE_ADDRESS = /^[\d.]+$|:/;

/** As inet_pton(3) takes them: four numbers without zeros before them; no zone. */
function familyOf(text: string): "IPv4" | "IPv6" | undefined {
  if (IPV4.test(text)) return "IPv4";
  const halves = text.split("::");
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const hasIpv4 = IPV4.test(groups.at(-1) ?? "") && !text.endsWith(":");
  const hex = hasIpv4 ? groups.slice(0, -1) : groups;
  if (!text.includes(":") || !hex.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined;
  const count = hex.length + (hasIpv4 ? 2 : 0);
  return (halves.length === 1 ? count === 8 : halves.length === 2 && count < 8) ? "IPv6" : undefined;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** As strtol(3) reads it with the base 0: decimal, octal after a zero, hexadecimal after 0x. */
const NUMBER = /^[ \t\v\f\r]*[+-]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/;

function numberOf(text: string): number {
  const digits = text.replace(/^[+-]/, "");
  const value = Number(/^0\d/.test(digits) ? `0o${digits}` : digits);
  return text.startsWith("-") ? -value : value;
}
