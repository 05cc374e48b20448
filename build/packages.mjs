// The one table of Debian packages that bpfink's sources need beyond Node and npm. The executable needs none.
// To add one: a line here with its reason; README quotes this table.

/**
 * @typedef {"build" | "test" | "vm"} Purpose
 *   build  needed to compile (npm start, npm run build)
 *   test   needed by the tests that run on this machine (npm run test:quick), too
 *   vm     needed by the tests that boot other kernels (npm test), too
 * @typedef {{ name: string, purpose: Purpose, reason: string }} Package
 */

/** @type {readonly Package[]} */
export const PACKAGES = [
  { name: "clang", purpose: "build", reason: "compiles the BPF program and links libbpf.so" },
  { name: "llvm", purpose: "build", reason: "llvm-strip takes DWARF out of the BPF object and leaves BTF" },
  { name: "binutils", purpose: "build", reason: "ld links libbpf.so; readelf checks what the build made" },
  { name: "libc6-dev", purpose: "build", reason: "links libbpf.so against glibc" },
  { name: "linux-libc-dev", purpose: "build", reason: "linux/bpf.h" },
  { name: "libbpf-dev", purpose: "build", reason: "bpf_helpers.h and the static libbpf" },
  { name: "libelf-dev", purpose: "build", reason: "the static libelf that libbpf uses" },
  { name: "zlib1g-dev", purpose: "build", reason: "the static zlib that libelf uses" },
  { name: "attr", purpose: "test", reason: "setfattr makes the files whose extended attributes tests change" },
  { name: "curl", purpose: "test", reason: "what install.sh fetches with" },
  { name: "systemd", purpose: "test", reason: "runs bpfink.service as install.sh leaves it" },
  { name: "passwd", purpose: "test", reason: "useradd, chpasswd, vipw … change files in end-to-end tests" },
  { name: "openssh-client", purpose: "test", reason: "ssh-keygen makes keys, and says what their fingerprints are" },
  { name: "graphite-carbon", purpose: "test", reason: "the Carbon that metrics are sent to in tests" },
  { name: "e2fsprogs", purpose: "test", reason: "makes file systems, and says where a file lies on the disk" },
  { name: "vim-tiny", purpose: "test", reason: "an editor, whose way of saving is tested; so are the next eight" },
  { name: "emacs-nox", purpose: "test", reason: "an editor" },
  { name: "sudo", purpose: "test", reason: "visudo, an editor of sudoers" },
  { name: "nano", purpose: "test", reason: "an editor" },
  { name: "ed", purpose: "test", reason: "an editor" },
  { name: "patch", purpose: "test", reason: "writes a new version of a file" },
  { name: "rsync", purpose: "test", reason: "writes a new version of a file" },
  { name: "git", purpose: "test", reason: "writes a new version of a file" },
  { name: "perl", purpose: "test", reason: "writes a new version of a file" },
  {
    name: "rpm",
    purpose: "test",
    reason: "makes and installs packages, whose files are labelled, and keeps its database",
  },
  { name: "qemu-system-x86", purpose: "vm", reason: "boots the kernels that are tested" },
  { name: "mmdebstrap", purpose: "vm", reason: "makes the root file system of the test machines" },
  { name: "busybox-static", purpose: "vm", reason: "shell of the smallest test machine" },
  { name: "debian-archive-keyring", purpose: "vm", reason: "verifies the kernels and packages of test machines" },
  { name: "kmod", purpose: "vm", reason: "depmod for the modules of the kernels that are tested" },
  { name: "xz-utils", purpose: "vm", reason: "unpacks the modules of the kernels that are tested" },
];

/**
 * The names of the packages that some purposes need, in the table's order.
 * @param {readonly Purpose[]} purposes
 * @param {readonly Package[]} [table]
 */
export function packagesFor(purposes, table = PACKAGES) {
  return table.filter((entry) => purposes.includes(entry.purpose)).map((entry) => entry.name);
}

/**
 * Which of the names dpkg-query did not report as installed.
 * @param {readonly string[]} names
 * @param {string} report lines "NAME STATUS" of dpkg-query -W -f '${Package} ${db:Status-Status}\n'
 */
export function missingPackages(names, report) {
  const lines = new Set(report.split("\n"));
  return names.filter((name) => !lines.has(`${name} installed`));
}
