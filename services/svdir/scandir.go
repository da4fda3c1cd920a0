package svdir

// ScanDir is the scan directory where the environment names no other
// (SVINIT_SERVICE_DIR): its entries are the services.
const ScanDir = "/etc/service"
