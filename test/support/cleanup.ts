// What a test opens is closed when the suites of its file have ended: servers and clusters that nobody uses any more cost
// the files that follow. What files share (a server, a connection) is opened once, and closed after the last of them.
type Close = () => Promise<void> | void

const ofFile: Close[] = []
const ofProcess: Close[] = []

/** Runs `close` after the last suite of this file; last registered, first closed. */
export function atEnd(close: Close): void {
  ofFile.push(close)
}

/** Runs `close` after the last file of this process: for what files share. */
export function atEndOfAll(close: Close): void {
  ofProcess.push(close)
}

export async function afterFile(): Promise<void> {
  for (let close = ofFile.pop(); close !== undefined; close = ofFile.pop()) await close()
}

export async function after(): Promise<void> {
  await afterFile()
  for (let close = ofProcess.pop(); close !== undefined; close = ofProcess.pop()) await close()
}
