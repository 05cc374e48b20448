import { expect, test } from "bun:test";
import { containerOf, ttyName } from "../../../src/source/cgroup.ts";

const id = "0123456789abcdef".repeat(4);
const pod = "kubepods-burstable-pod1b2c3d4e_0000_1111_2222_333344445555.slice";

test.each([
  ["Docker, systemd driver", `/system.slice/docker-${id}.scope`],
  ["Docker, cgroupfs driver", `/docker/${id}`],
  ["Docker, a service inside", `/system.slice/docker-${id}.scope/system.slice/ssh.service`],
  ["Kubernetes with containerd", `/kubepods.slice/kubepods-burstable.slice/${pod}/cri-containerd-${id}.scope`],
  ["Kubernetes with CRI-O", `/kubepods.slice/kubepods-burstable.slice/${pod}/crio-${id}.scope`],
  ["Kubernetes, cgroupfs driver", `/kubepods/burstable/pod1b2c3d4e-0000-1111-2222-333344445555/${id}`],
  ["containerd's unit name without systemd", `/system.slice:cri-containerd:${id}`],
  ["Podman", `/machine.slice/libpod-${id}.scope/container`],
  ["Podman of a user", `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`],
  ["a container in a container", `/docker/${"f".repeat(64)}/docker/${id}`],
])("%s", (_, cgroup) => {
  expect(containerOf(cgroup)).toBe(id);
});

test.each([
  ["/"],
  [""],
  ["/system.slice/ssh.service"],
  ["/user.slice/user-1000.slice/session-2.scope"],
  [`/machine.slice/libpod-conmon-${id}.scope`],
  [`/system.slice/docker-${id.slice(1)}.scope`],
  [`/system.slice/docker-${id.toUpperCase()}.scope`],
  [`/kubepods.slice/${pod}`],
])("no container: %s", (cgroup) => {
  expect(containerOf(cgroup)).toBeUndefined();
});

test("terminals as ps(1) shows them", () => {
  expect(["pts0", "pts17", "tty1", "ttyS0", "hvc0", ""].map(ttyName)).toEqual([
    "pts/0",
    "pts/17",
    "tty1",
    "ttyS0",
    "hvc0",
    undefined,
  ]);
});
