/** `virtio-blk`, `kernel/drivers/block/virtio_blk.ko.xz` → `virtio_blk`: the kernel takes - and _ for the same. */
function moduleName(path: string): string {
  return path
    .replace(/^.*\//, "")
    .replace(/\.ko(\.\w+)?$/, "")
    .replaceAll("-", "_");
}

/**
 * The files that have to be loaded, in this order, for the named modules to be there.
 *
 * @param dep text of modules.dep: `file: direct and indirect dependencies`, the nearest first
 * @param names modules; those that the kernel has built in (not in modules.dep) need nothing
 */
export function loadOrder(dep: string, names: readonly string[]): string[] {
  const dependencies = new Map<string, string[]>();
  for (const line of dep.split("\n")) {
    const [file, rest] = line.split(":");
    if (file && rest !== undefined)
      dependencies.set(moduleName(file), [file, ...rest.trim().split(/\s+/).filter(Boolean)]);
  }
  const order = new Set<string>();
  for (const name of names) {
    const [file, ...needed] = dependencies.get(moduleName(name)) ?? [];
    for (const path of needed.reverse()) order.add(path);
    if (file !== undefined) order.add(file);
  }
  return [...order];
}
