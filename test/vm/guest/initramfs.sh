#!/bin/busybox sh
# /init of the initramfs: finds the root disk and hands over to guest/init.sh.
# Disks, in the order of qemu.ts: vda root, vdb modules, vdc files brought in (when there are any).
export PATH=/bin
/bin/busybox --install -s /bin

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do
    insmod "$module"
done

hostname bpfink-vm
ifconfig lo up

mount -t ext4 -o noatime /dev/vda /root
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs /root/run
mv /vm /root/run/vm
modules=/root/lib/modules/$(uname -r)
mkdir -p "$modules"
mount -t ext4 -o ro,noatime /dev/vdb "$modules"
if [ -s /root/run/vm/files ]; then
    mkdir /root/run/vm/disk
    mount -t ext4 -o noatime /dev/vdc /root/run/vm/disk
fi

for directory in proc sys dev; do
    mount --move /$directory /root/$directory
done
exec switch_root /root /run/vm/init
