# bash completion of pcap2flow; written by `pcap2flow print=bash`
_pcap2flow()
{
	local cur=${COMP_WORDS[COMP_CWORD]} name= words= files= front=
	if [[ $cur == = ]]; then # the = is a word of its own
		name=${COMP_WORDS[COMP_CWORD - 1]} cur=
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		name=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == *=* ]]; then
		name=${cur%%=*} cur=${cur#*=}
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == -x ]]; then
		name=-x
	fi
	case $name in
	'') files=1 words='bpf= independent= interface= promisc= snaplen= capture= clock= ring= threads= drops_interval= bidir= vlan_key= tunnel= idle_timeout= active_timeout= linger= timeouts= community_id= community_id_seed= memory= merge= features= num_pkts= type= zeros= retrans= salt= dist= cdist= entropy= dist_bytes= ip= tcp= icmp= idp= tls= quic= fingerprint= fingerprint_db= payload= ppi= hd= wht= os= stats= stats_idle= exe= exe_cmdline= exe_hash= exe_by= output= outdir= count= rotate= rotate_size= keep_size= keep_time= upload= keyfile= known_hosts= retain= logfile= verbosity= progress= username= sandbox= daemon= pidfile= control= metrics= ctl= help= version= show_config= show_interfaces= explain= print= label= watch= geoip= anon= anon_key= anon_names= useranon= anon_check= --help --version'
		compopt -o nospace ;;
	-x) files=1 ;;
	independent) words='0 1' ;;
	promisc) words='0 1' ;;
	capture) words='auto packet libpcap' ;;
	clock) words='host adapter' ;;
	bidir) words='0 1' ;;
	vlan_key) words='0 1' ;;
	tunnel) words='inner outer' ;;
	timeouts) words='joy nfstream yaf cisco' ;;
	community_id) words='0 1' ;;
	merge) words='0 1' ;;
	zeros) words='0 1' ;;
	retrans) words='0 1' ;;
	salt) words='0 1' ;;
	dist) words='0 1' ;;
	entropy) words='0 1' ;;
	ip) words='0 1' ;;
	tcp) words='0 1' ;;
	icmp) words='0 1' ;;
	tls) words='0 1' ;;
	quic) words='0 1' ;;
	fingerprint) words='0 1' ;;
	ppi) words='0 1' ;;
	wht) words='0 1' ;;
	os) words='0 1' ;;
	stats) words='0 1' ;;
	exe) words='0 1' ;;
	exe_cmdline) words='0 1' ;;
	exe_hash) words='0 1' ;;
	exe_by) words='auto ebpf sock_diag proc' ;;
	retain) words='0 1' ;;
	progress) words='0 1' ;;
	sandbox) words='0 1' ;;
	daemon) words='0 1' ;;
	ctl) words='stats flows reload rotate health' ;;
	help) words='0 1' ;;
	version) words='0 1' ;;
	show_config) words='0 1' ;;
	show_interfaces) words='0 1' ;;
	print) words='man bash zsh fields schema options' ;;
	anon_names) words='0 1' ;;
	features) words='all salt dist cdist entropy ip tcp icmp idp tls quic fingerprint payload ppi hd wht os stats' front=${cur%"${cur##*,}"} cur=${cur##*,} ;;
	cdist|fingerprint_db|output|outdir|keyfile|known_hosts|logfile|pidfile|control|label|watch|geoip|anon|anon_key|useranon|anon_check) files=1 ;;
	esac
	mapfile -t COMPREPLY < <(compgen -P "$front" -W "$words" -- "$cur"
		[[ -z $files ]] || compgen -f -- "$cur")
	[[ -z $files ]] || compopt -o filenames
}
complete -F _pcap2flow pcap2flow
