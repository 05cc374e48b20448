#!/bin/sh
# PID 1 of the guest: mounts what a Debian has mounted, runs the command, and tells the host over virtio-serial ports.
# The host (vm.ts) wrote /run/vm: init (this file), fstab, files, modules, command, token, and ends the VM after "done".
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mkdir -p /dev/pts /dev/shm /out
mount --all --fstab /run/vm/fstab
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr

# The driver makes the ports in a work queue of its own; without udev nothing announces them to a shell.
port() {
    while :; do
        for path in /sys/class/virtio-ports/*; do
            [ -e "$path/name" ] && read -r name <"$path/name" && [ "$name" = "$1" ] && echo "/dev/${path##*/}" && return
        done
        sleep 0.02
    done
}

exec 3>"$(port control)"

[ ! -s /run/vm/modules ] || modprobe --all $(cat /run/vm/modules)

# Each line: number of the file on the disk, d (directory) or f (file), where it belongs.
while read -r number kind target; do
    if [ "$kind" = d ]; then
        mkdir -p "$target"
    else
        mkdir -p "${target%/*}" && : >>"$target"
    fi
    mount --bind "/run/vm/disk/$number" "$target"
done </run/vm/files

# A port can be open only once, so a program that opens /dev/stdout again needs a pipe there.
# The token after the last byte tells the host that a stream is complete.
token=$(cat /run/vm/token)
forward() {
    { cat <"/run/vm/$1"; printf %s "$token"; } >"$(port "$1")" 3>&-
}
mkfifo /run/vm/stdout /run/vm/stderr
forward stdout &
stdout=$!
forward stderr &
stderr=$!

# A guest that hangs (seen once under TCG, on 6.1) is silent: the host counts it as lost.
while sleep 5; do echo "beat" >&3; done &

echo "hello" >&3
setsid sh /run/vm/command </dev/null >/run/vm/stdout 2>/run/vm/stderr 3>&- &
wait $!
echo "exited $?" >&3

# What the command left running would hold its streams open.
for path in /proc/[0-9]*; do
    process=${path#/proc/}
    read -r _ name _ parent _ <"$path/stat" || continue
    case $process:$parent in
    1:* | *:2 | 2:* | $stdout:* | $stderr:* | *:$stdout | *:$stderr) ;;
    *) kill -KILL "$process" ;;
    esac
done 2>/dev/null
wait $stdout $stderr

{ tar --create --directory=/out . ; printf %s "$token"; } >"$(port out)" 3>&-
{ dmesg; printf %s "$token"; } >"$(port dmesg)" 3>&-
echo "done" >&3

# The host ends the VM now.
while :; do
    sleep 1000
done
