/**
 * How container engines name the cgroup of a container, whose id is 64 hexadecimal digits:
 *
 *     /system.slice/docker-ID.scope                           Docker, systemd driver
 *     /docker/ID                                              Docker, cgroupfs driver
 *     /kubepods.slice/…/cri-containerd-ID.scope               containerd in Kubernetes
 *     /kubepods.slice/…/crio-ID.scope                         CRI-O
 *     /machine.slice/libpod-ID.scope/container                Podman (libpod-conmon-ID is its monitor)
 *     /kubepods/burstable/podUID/ID                           Kubernetes, cgroupfs driver
 */
const CONTAINER = /^(?:(?:docker|cri-containerd|crio|libpod|containerd)-)?([0-9a-f]{64})(?:\.scope)?$/;

/** Pure. The id of the container that a cgroup is of, or lies in; the innermost. */
export function containerOf(cgroup: string): string | undefined {
  for (const component of cgroup.split("/").reverse()) {
    // containerd by itself: /system.slice:cri-containerd:ID as its cgroupfs driver writes systemd's form
    const id = CONTAINER.exec(component.split(":").at(-1) ?? "")?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

/** Pure. The name of a terminal's driver and number as the kernel has it, like ps(1) shows it: `pts0` → `pts/0`. */
export function ttyName(name: string): string | undefined {
  return name === "" ? undefined : name.replace(/^pts(\d+)$/, "pts/$1");
}
