import { embeddedLibbpf } from "./assets.ts";

/** Of kernels where BPF's memory is locked memory: gone with Linux 5.11, 80ee81e0403c ("bpf: Eliminate rlimit-based memory accounting infra for bpf maps"). */
const ACCOUNTING = "bpf_map_charge_init";

/** Whether what BPF maps take counts against RLIMIT_MEMLOCK. */
export function countsAsLockedMemory(): boolean {
  try {
    return embeddedLibbpf()
      .libbpf.knownToKernel({ functions: [ACCOUNTING], typedefs: [] })
      .has(ACCOUNTING);
  } catch {
    return false; // without BTF there are no BPF programs anyway
  }
}
