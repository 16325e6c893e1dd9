// What happens to the workers and to the server while a soak runs.
import type { Timeline } from './timeline.ts'
import type { WorkerProcess } from './worker-process.ts'

/** The server of a soak, or the nodes of its cluster. */
export interface Victim {
  /**
   * SIGKILL of the server, or of the node that leads the stream; and its start after a while. Calls `onBack` when the
   * stream can be written again.
   */
  killAndRestart(onBack: () => void): Promise<void>
}

export interface FaultCounts {
  workerKills: number
  workerStops: number
  workerFreezes: number
  serverKills: number
}

export interface FaultOptions {
  readonly workers: readonly WorkerProcess[]
  readonly timeline: Timeline
  readonly server: Victim
  /** Seconds between two kills of the server. */
  readonly serverEvery: number
  readonly signal: AbortSignal
  readonly onFault: (text: string) => void
  /** How often a worker was refused because another one had claimed its unit. */
  readonly fenced: () => number
  /** Whether workers are to be troubled still, though the time is over. */
  readonly more?: (() => boolean) | undefined
}

const between = (least: number, most: number): number => least + Math.random() * (most - least)
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Longer than a lease, so that others claim the units before it wakes. */
const LONG_FREEZE_MS = 6_000

/** Goes on until `signal` is aborted, then leaves every worker awake and the server running. */
export async function makeTrouble(options: FaultOptions): Promise<FaultCounts> {
  const counts: FaultCounts = { workerKills: 0, workerStops: 0, workerFreezes: 0, serverKills: 0 }
  await makeZombie(options, counts)
  await Promise.all([troubleWorkers(options, counts), troubleServer(options, counts)])
  return counts
}

/** So long it takes on a busy machine until others have claimed a unit, and until one that was woken has tried to commit. */
const FENCE_LIMIT_MS = 30_000

/** One worker is frozen while the others are left alone: chance does not always bring that about. */
export async function makeZombie(
  { workers, timeline, signal, onFault, fenced }: FaultOptions,
  counts: FaultCounts,
  ms = LONG_FREEZE_MS,
): Promise<void> {
  await wait(1_000)
  const held = ({ pid }: WorkerProcess): number => timeline.heldBy(String(pid))
  const [victim] = workers.filter(({ alive }) => alive).toSorted((a, b) => held(b) - held(a))
  if (victim === undefined || signal.aborted) return
  counts.workerFreezes += 1
  onFault(`SIGSTOP of a worker for ${ms} ms`)
  victim.freeze()
  const had = held(victim)
  await wait(ms)
  await until(() => had === 0 || held(victim) < had)
  const before = fenced()
  victim.wake()
  await until(() => fenced() !== before)
  await wait(1_000)
}

async function until(is: () => boolean): Promise<void> {
  for (const end = performance.now() + FENCE_LIMIT_MS; performance.now() < end && !is();) await wait(50)
}

/** Nothing but one outage of the server. */
export async function makeOutage({ server, timeline, signal, onFault }: FaultOptions): Promise<FaultCounts> {
  await wait(5_000)
  onFault('SIGKILL of the server')
  timeline.server('SIGKILL of a server')
  await server.killAndRestart(() => timeline.server('server back'))
  onFault('the server is back')
  while (!signal.aborted) await wait(100)
  return { workerKills: 0, workerStops: 0, workerFreezes: 0, serverKills: 1 }
}

/** Nothing but one long sleep of a worker. */
export async function makeLongSleep(options: FaultOptions, ms: number): Promise<FaultCounts> {
  const counts: FaultCounts = { workerKills: 0, workerStops: 0, workerFreezes: 0, serverKills: 0 }
  await makeZombie(options, counts, ms)
  options.onFault('awake')
  while (!options.signal.aborted) await wait(100)
  return counts
}

/** What must have been done to a worker comes first: chance may leave it out. */
function nextOf({ workerKills, workerFreezes }: FaultCounts): number {
  if (workerKills === 0) return 0
  return workerFreezes === 0 ? 1 : Math.random()
}

/** Kills, stops and freezes workers: one is killed and one frozen at least, however soon the time is over. */
export async function troubleWorkers(
  { workers, signal, onFault, more }: Pick<FaultOptions, 'workers' | 'signal' | 'onFault' | 'more'>,
  counts: FaultCounts,
): Promise<void> {
  const frozen: Promise<void>[] = []
  const isOver = (): boolean =>
    signal.aborted && counts.workerKills > 0 && counts.workerFreezes > 0 && more?.() !== true
  while (!isOver()) {
    await wait(between(700, 2_500))
    const awake = workers.filter(({ alive }) => alive)
    const victim = awake[Math.floor(Math.random() * awake.length)]
    if (victim === undefined || isOver()) continue
    const what = nextOf(counts)
    if (what < 0.55) {
      counts.workerKills += 1
      onFault('SIGKILL of a worker')
      await victim.kill()
      await wait(between(50, 1_500))
      victim.start()
    } else if (what < 0.7) {
      counts.workerStops += 1
      onFault('SIGTERM of a worker')
      await victim.stop()
      victim.start()
    } else if (awake.length > 1) {
      counts.workerFreezes += 1
      const ms = Math.random() < 0.5 ? between(300, 1_500) : between(4_000, 9_000)
      onFault(`SIGSTOP of a worker for ${Math.round(ms)} ms`)
      victim.freeze()
      frozen.push(wait(ms).then(() => victim.wake()))
    }
  }
  await Promise.all(frozen)
}

/** Kills the server again and again, and once at least. */
export async function troubleServer(
  {
    server,
    serverEvery,
    timeline,
    signal,
    onFault,
  }: Pick<FaultOptions, 'server' | 'serverEvery' | 'timeline' | 'signal' | 'onFault'>,
  counts: FaultCounts,
): Promise<void> {
  for (;;) {
    const until = performance.now() + between(0.7, 1.3) * serverEvery * 1_000
    while (performance.now() < until && !signal.aborted) await wait(100)
    if (signal.aborted && counts.serverKills > 0) return
    counts.serverKills += 1
    onFault('SIGKILL of a server')
    timeline.server('SIGKILL of a server')
    await server.killAndRestart(() => timeline.server('server back'))
  }
}
