// Processor time of this process and of all that it began: tests start servers, workers and commands, whose cost is theirs.
import { readFileSync, readdirSync } from 'node:fs'

/** A tick of /proc is a hundredth of a second on every Linux. */
const MS_PER_TICK = 10

/**
 * In ms, of user and system, with the processes that were begun here, ended or not; where there is no /proc, of this
 * process alone. What ended without anyone waiting for it is not in it.
 */
export function processorTime() {
  const { user, system } = process.cpuUsage()
  const own = (user + system) / 1_000
  const all = processes()
  let ticks = all.get(process.pid)?.children ?? 0
  const began = new Set([process.pid])
  // a child has a higher number than its parent until the numbers begin anew, so a second look finds the rest
  for (let found = 0; found < began.size;) {
    found = began.size
    for (const [pid, { parent, self, children }] of all) {
      if (began.has(pid) || !began.has(parent)) continue
      began.add(pid)
      ticks += self + children
    }
  }
  return own + ticks * MS_PER_TICK
}

/** @returns {Map<number, { parent: number, self: number, children: number }>} by process number; times in ticks */
function processes() {
  const all = new Map()
  for (const name of namesIn('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = statOf(name)
    if (fields === undefined) continue
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number)
    all.set(Number(name), { parent: Number(fields[1]), self: user + system, children: childUser + childSystem })
  }
  return all
}

/** @param {string} folder */
function namesIn(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return [] // not Linux
  }
}

/** What follows the name of the program, which may have anything in it. @param {string} pid */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined // it has ended meanwhile
  }
}
