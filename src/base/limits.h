/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limits.h - every cap of the program, in one place.
 *
 * Whatever can grow with the input has its ceiling here.  Meeting one is counted
 * and marked in the record it concerns, never silent.
 */
#pragma once

enum {
	/* source */
	LIMIT_PACKET_BYTES =
			256 * 1024 * 1024 / 16, /* captured bytes of one packet in a file: 16 MiB */
	LIMIT_BLOCK_BYTES = 16 * 1024 * 1024 + 4096, /* one pcapng block */
	LIMIT_INPUT_BYTES = 64 * 1024 * 1024 + 4096, /* of a file at hand at a time: a record */
	LIMIT_INTERFACES = 65536,                    /* interfaces of all sections of a run */
	LIMIT_INTERFACE_TEXT = 256,          /* bytes kept of an interface's name and description */
	LIMIT_INPUT_FILES = 1 << 20,         /* files of a run */
	LIMIT_DIRECTORY_DEPTH = 64,          /* folders below a folder named as input */
	LIMIT_CODINGS = 4,                   /* gzip, zstd, xz around each other */
	LIMIT_ZSTD_WINDOW_LOG = 27,          /* 128 MiB of history for a zstd stream */
	LIMIT_XZ_MEMORY = 256 * 1024 * 1024, /* decoder memory of one xz stream */

	/* live */
	LIMIT_WORKERS = 64,         /* threads= */
	LIMIT_LIVE_INTERFACES = 64, /* named by interface= */
	LIMIT_LIVE_SPARES = 64,     /* sockets kept for interfaces that come back */

	/* net */
	LIMIT_DEPTH = 64,                /* headers (tags, tunnels) before a packet is "too deep" */
	LIMIT_LAYERS = 16,               /* outer layers remembered for the record */
	LIMIT_V6_EXTENSIONS = 128,       /* extension headers of one IPv6 packet */
	LIMIT_FRAGMENTS = 512,           /* fragments of one datagram */
	LIMIT_DATAGRAMS = 4096,          /* datagrams being put together at a time */
	LIMIT_FRAGMENT_BYTES = 16 << 20, /* memory of all of them */

	/* proto: tls */
	LIMIT_DTLS_RANGES = 16,       /* separate ranges of a message that has holes */
	LIMIT_STARTTLS_BYTES = 65536, /* bytes of a direction searched for the beginning of TLS */

	/* flow */
	LIMIT_TCP_HOLES = 16,              /* missing ranges remembered for each direction */
	LIMIT_STREAM_PENDING = 256 * 1024, /* early bytes and their heads, each direction */

	/* feature: base to ppi, stats */
	LIMIT_TRAIL_BYTES = 1 << 29,     /* one packed list of one flow */
	LIMIT_FIRST_BYTES = 1024 * 1024, /* idp= and payload= */

	/* feature: dist to os */
	LIMIT_HD_BYTES = 64,      /* payload bytes described by hd= */
	LIMIT_ICMP_REQUESTS = 32, /* echo requests of one flow remembered for their replies */
	LIMIT_ICMP_TYPES = 8,     /* different types and codes counted for each direction */

	/* proto: x509 */
	LIMIT_X509_ATTRIBUTES = 64,   /* of a subject or an issuer */
	LIMIT_X509_NAMES = 2048,      /* subject alternative names of one certificate */
	LIMIT_X509_EXTENSIONS = 64,   /* of one certificate */
	LIMIT_X509_ITEMS = 64,        /* URLs, policies, extended key usages: of each list */
	LIMIT_X509_BYTES = 256 << 10, /* memory of what was read from one certificate */

	/* feature: certificate store */
	LIMIT_CERT_BYTES = 64 << 10,    /* one certificate */
	LIMIT_CERT_MESSAGE = 256 << 10, /* a certificate message when decompressed */
	LIMIT_CERTS = 16384,            /* certificates of one worker */
	LIMIT_CERTS_BYTES = 64 << 20,   /* and their memory, with what was parsed */

	/* feature: handshake */
	LIMIT_HANDSHAKE_STREAM = 1 << 20,   /* bytes of a direction that are followed, at least */
	LIMIT_HANDSHAKE_LISTED = 1 << 30,   /* at most, however many records num_pkts= lists */
	LIMIT_HELLO_BYTES = 64 << 10,       /* kept of a ClientHello or ServerHello */
	LIMIT_KEY_EXCHANGE_BYTES = 8 << 10, /* of other handshake messages */
	LIMIT_DTLS_MESSAGE = 32 << 10,      /* kept of a DTLS message in fragments */
	LIMIT_CERTIFICATES = 64,            /* of a direction */
	LIMIT_HANDSHAKE_MESSAGES = 32,      /* kept of one flow */
	LIMIT_HANDSHAKE_HEADS = 256,        /* listed in the records of one flow */
	LIMIT_ALERTS = 16,                  /* listed for one flow */
	LIMIT_FINGERPRINT_DB = 1 << 30,     /* a file of fingerprint_db= */

	/* proto: quic */
	LIMIT_QUIC_PACKET = 65536,       /* payload of one Initial that is deciphered */
	LIMIT_QUIC_CRYPTO_BYTES = 65536, /* of a handshake stream put in order, each direction */
	LIMIT_GQUIC_TAGS = 256,          /* of one message of Google's handshake */

	/* proto: fingerprint */
	LIMIT_FINGERPRINT_VALUES = 32768,     /* of one list of a hello: all that 64 KiB can hold */
	LIMIT_FINGERPRINT_EXTENSIONS = 16384, /* of a hello: the same */
	LIMIT_FINGERPRINT_BYTES = 1024 * 1024, /* text of one fingerprint: enough for any hello */
	LIMIT_FINGERPRINT_MEMO = 1024,         /* hashes a worker remembers; a power of two */
	LIMIT_FINGERPRINT_MEMO_BYTES = 480,    /* the longest text among them */

	/* host: lists */
	LIMIT_LIST_BYTES = 1 << 30,   /* one file */
	LIMIT_LIST_ENTRIES = 1 << 24, /* subnets, or names, of all files of an option */
	LIMIT_LIST_FILES = 256,       /* of an option */
	LIMIT_GEO_FILES = 16,         /* of geoip= */
	LIMIT_LABEL_SETS = 1 << 20,   /* different combinations of labels */
	LIMIT_ANON_CACHE = 16384,     /* addresses whose replacement a worker remembers */
	LIMIT_CHECK_VALUES = 1 << 22, /* different bytes in these that are counted once */
	LIMIT_CHECK_FIELDS = 4096,    /* different keys of records that are checked for addresses */
	LIMIT_WATCH_HITS = 16,        /* listed in a record */
	LIMIT_LINE_COLUMNS = 256,     /* looked at in a line of CSV */

	/* host: processes */
	LIMIT_PROCESS_RING = 8 << 20, /* bytes of events that wait in the kernel; a power of 2 */
	LIMIT_PROCESS_TOLD = 16384,   /* processes that the kernel's side remembers to have told */
	LIMIT_PROCESS_PEERS = 65536,  /* peers of UDP sockets, the same */
	LIMIT_PROCESSES = 32768,      /* known at a time; the longest unused leave */
	LIMIT_PROCESS_SOCKETS = 131072,    /* known at a time; those closed longest ago leave */
	LIMIT_PROCESS_TUPLES = 262144,     /* pairs of addresses and ports of these; a power of 2 */
	LIMIT_PROCESS_SOCKET_PEERS = 1024, /* of one UDP socket, in a minute */
	LIMIT_PROCESS_ADDRESSES = 1024,    /* of this host */
	LIMIT_PROCESS_TEXT = 952,          /* bytes of all texts about one process */
	LIMIT_PROCESS_HASHES = 4096,       /* of executables, remembered */
	LIMIT_PROCESS_JOBS = 1024,         /* executables that wait to be hashed */
	LIMIT_PROCESS_EXECUTABLE = 1 << 30, /* bytes of one that is hashed */
	LIMIT_PROCESS_USERS = 256,          /* names of users, remembered */
	LIMIT_PROCESS_FRESH = 65536,        /* sockets found new in one look */
	LIMIT_PROCESS_MESSAGE = 32 << 10,   /* bytes that go to the sensor at a time */

	/* base */
	LIMIT_JSON_DEPTH = 64,   /* brackets within each other, of JSON that is read */
	LIMIT_JSON_NUMBER = 400, /* bytes of a number that becomes a double */

	/* record and sink */
	LIMIT_COLUMNS = 65536,            /* children of one Arrow type that is read */
	LIMIT_RECORD_BYTES = 64 << 20,    /* one record as text */
	LIMIT_RECORD_DEPTH = 16,          /* structs and lists within each other */
	LIMIT_DICTIONARY_BYTES = 1 << 30, /* of different words of a column, of a stream */
	LIMIT_OUTPUT_QUEUE = 64 << 20,    /* text that waits for a writer, of a live capture */
	LIMIT_OUTPUT_NOTES = 4 << 20,     /* lines that are no records, beyond that */
	LIMIT_OUTPUT_WAIT = 2 << 20,      /* the same, of files: then the reader waits */
	LIMIT_OUTPUT_AHEAD = 64 << 20,    /* text of files behind the one that is written */
	LIMIT_OUTPUT_TURN = 4 << 20,      /* text of that one which waits */
	LIMIT_OUTPUT_TURNS = 4096,        /* files ahead of it */
	LIMIT_OUTPUT_FILES = 1 << 20,     /* files of a series that are looked at */
	LIMIT_OUTPUT_PARTS = 1 << 16,     /* parts of it that are recovered */

	/* sink: upload */
	LIMIT_UPLOAD_USER = 64,
	LIMIT_UPLOAD_HOST = 255,
	LIMIT_UPLOAD_PATH = 1024,       /* the folder on the other side */
	LIMIT_UPLOAD_NAME = 220,        /* a name of a file: with what is put around it, 255 */
	LIMIT_UPLOAD_BATCH = 64,        /* files read from the spool at a time */
	LIMIT_UPLOAD_FAILING = 64,      /* files that wait for another try of their own */
	LIMIT_SFTP_PACKET = 256 << 10,  /* one answer */
	LIMIT_UPLOAD_SENDING = 2 << 20, /* bytes on their way to ssh */

	/* os: control socket and HTTP, each */
	LIMIT_CLIENTS = 8,             /* served at a time; others wait in the queue */
	LIMIT_CLIENT_SECONDS = 10,     /* from accepting to the last byte of the answer */
	LIMIT_QUESTION_BYTES = 8192,   /* of a request */
	LIMIT_ANSWER_BYTES = 20 << 20, /* of a response: a LIMIT_TEXT_BYTES and its head */

	/* conf */
	LIMIT_OPTION_BYTES = 64 << 10, /* one line of a configuration file */
	LIMIT_CONF_BYTES = 1 << 20,    /* a configuration file */
	LIMIT_OPTIONS = 256,           /* options of core and features together */
	LIMIT_TEXT_BYTES = 16 << 20,   /* help, manual, schema: a text about the program */
};
