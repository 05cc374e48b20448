import { expect, test } from "bun:test";
import { loadOrder } from "../../vm/modules.ts";

const dep = `kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/block/virtio-blk.ko.xz: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
kernel/drivers/char/virtio_console.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
`;

test("what is needed comes first, and once; what is built in needs nothing", () => {
  expect(loadOrder(dep, ["virtio_blk", "ext4", "virtio_console"])).toEqual([
    "kernel/drivers/virtio/virtio.ko",
    "kernel/drivers/virtio/virtio_ring.ko",
    "kernel/drivers/block/virtio-blk.ko.xz",
    "kernel/drivers/char/virtio_console.ko",
  ]);
});
