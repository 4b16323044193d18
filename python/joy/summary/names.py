# SPDX-License-Identifier: BSD-3-Clause
"""Names of numbers that people know: protocols, ports, end reasons."""

from __future__ import annotations

PROTOCOLS = {
    1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 33: "dccp", 41: "ipv6", 46: "rsvp", 47: "gre",
    50: "esp", 51: "ah", 58: "icmp6", 88: "eigrp", 89: "ospf", 103: "pim", 112: "vrrp",
    132: "sctp", 136: "udplite",
}  # fmt: skip

PORTS = {
    20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "dns", 67: "dhcp",
    68: "dhcp", 69: "tftp", 80: "http", 88: "kerberos", 110: "pop3", 111: "rpcbind", 119: "nntp",
    123: "ntp", 135: "msrpc", 137: "netbios-ns", 138: "netbios-dgm", 139: "netbios-ssn",
    143: "imap", 161: "snmp", 162: "snmp-trap", 179: "bgp", 389: "ldap", 443: "https", 445: "smb",
    464: "kpasswd", 465: "smtps", 500: "ike", 514: "syslog", 546: "dhcp6", 547: "dhcp6",
    554: "rtsp", 587: "submission", 631: "ipp", 636: "ldaps", 853: "dns-tls", 873: "rsync",
    989: "ftps-data", 990: "ftps", 993: "imaps", 995: "pop3s", 1080: "socks", 1194: "openvpn",
    1433: "mssql", 1521: "oracle", 1701: "l2tp", 1723: "pptp", 1812: "radius", 1883: "mqtt",
    1900: "ssdp", 2049: "nfs", 2152: "gtp-u", 3128: "proxy", 3268: "ldap-gc", 3306: "mysql",
    3389: "rdp", 3478: "stun", 4433: "https-alt", 4500: "ike-nat", 4789: "vxlan", 5060: "sip",
    5061: "sips", 5222: "xmpp", 5353: "mdns", 5355: "llmnr", 5432: "postgresql", 5900: "vnc",
    5985: "winrm", 6081: "geneve", 6379: "redis", 6443: "kubernetes", 6514: "syslog-tls",
    6667: "irc", 8080: "http-alt", 8443: "https-alt", 8883: "mqtts", 9092: "kafka",
    9200: "elasticsearch", 11211: "memcached", 27017: "mongodb", 51820: "wireguard",
}  # fmt: skip

END_REASONS = {
    1: "idle timeout",
    2: "active timeout",
    3: "end of flow seen",
    4: "end of the run",
    5: "lack of resources",
}


def protocol(number: int) -> str:
    """Name of an IP protocol, else its number as text."""
    return PROTOCOLS.get(number, str(number))
