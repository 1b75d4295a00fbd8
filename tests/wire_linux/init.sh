#!/bin/busybox sh
# The first and only process tree of the machine with the initiator of Linux.
/bin/busybox mkdir -p /dev /proc /sys /root /run/lock/iscsi /tmp /mnt /var/lib/iscsi
/bin/busybox ln -s /run /var/run
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/bin HOME=/root
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
while read -r module; do
    insmod "/modules/$module.ko"
done </modules/order
# 127.0.0.1 is the outer machine here: SendTargets names portals of its loopback, and they have to be right as they are.
echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet
ip link set lo up
ip address del 127.0.0.1/8 dev lo
ip address add 127.0.0.15/24 dev eth0
ip link set eth0 up
iscsid -f &
# A request is a line of seconds and a shell's commands, an answer one of their status and what they printed.
exec 3<>"$(echo /dev/vport*)"
while read -r seconds commands <&3; do
    echo "$commands" | base64 -d >/tmp/commands
    timeout -s KILL "$seconds" sh /tmp/commands </dev/null >/tmp/printed 2>&1
    echo "$? $(base64 -w 0 /tmp/printed)" >&3
done
poweroff -f
