// Runs beside an embedded nats-server: server-watch.js PID STARTED_AT GRACE_MS
//
// Its standard input is a pipe from the process that started the server. The pipe closes when that process ends,
// however it ends, also by SIGKILL; then the server is stopped. A byte on the pipe means that the server was stopped
// in good order and there is nothing left to do.
import { readFileSync } from 'node:fs'

const [pid = 0, , grace = 5_000] = process.argv.slice(2).map(Number)
const startedAt = process.argv[3] ?? ''

/** @returns {boolean} whether the very process that was started still runs; its number may be somebody else's by now */
function isOurs() {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] !== 'Z' && startedAt.endsWith(`/${fields[19]}`)
  } catch {
    return false
  }
}

/** @param {NodeJS.Signals} signal */
function end(signal) {
  if (isOurs()) process.kill(pid, signal)
}

process.stdin.on('data', () => process.exit(0))
process.stdin.on('error', () => undefined) // a reset pipe is a closed pipe
process.stdin.on('close', () => {
  end('SIGTERM')
  const deadline = performance.now() + grace
  setInterval(() => {
    if (!isOurs()) process.exit(0)
    if (performance.now() > deadline) end('SIGKILL')
  }, 50)
})
