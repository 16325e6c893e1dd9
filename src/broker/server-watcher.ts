import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ProcessIdentity } from './server-process.js'

const SCRIPT = fileURLToPath(new URL('./server-watch.js', import.meta.url))

/**
 * Starts a small process that stops the server when this process ends without having done so, even by SIGKILL.
 * It holds a pipe from this process and acts when the pipe closes.
 * @returns call it once the server has ended; it then does nothing
 */
export function watchServer(server: ProcessIdentity, graceMs: number): () => void {
  const watcher = spawn(process.execPath, [SCRIPT, String(server.pid), server.startedAt, String(graceMs)], {
    detached: true,
    windowsHide: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // without a watcher the lock still keeps a second server off the directory, so a failure here changes nothing now
  watcher.on('error', () => undefined)
  watcher.stdin.on('error', () => undefined)
  watcher.unref()
  return () => {
    watcher.stdin.end('.')
  }
}
