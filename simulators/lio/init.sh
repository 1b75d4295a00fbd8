#!/bin/busybox sh
# The first and only process tree of the machine with LIO.
/bin/busybox mkdir -p /dev /proc /sys /root /run /tmp /usr/sbin /var/run
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root PYTHONDONTWRITEBYTECODE=1
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
# Before target_core_mod: it opens its database directory when it is loaded, and without it PERSISTENT RESERVE fails.
mkdir -p /etc/target/pr /etc/target/alua /var/target/pr /var/target/alua /disks
while read -r module; do
    insmod "/modules/$module.ko"
done </modules/order
mount -t configfs config /sys/kernel/config
mount -t tmpfs -o size=90%,mode=700 disks /disks
ip link set lo up
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
# The portals are addresses of the outer machine's loopback: SendTargets has to name what initiators there can reach.
echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet
python3 -m simulators.lio.agent
echo "the agent has ended: $?"
poweroff -f
