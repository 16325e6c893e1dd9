import { fault } from '../../error/millrace-error.js'
import type { StoredCause } from './draft-cause.js'
import type { TableEntry } from '../../kernel/entry-table.js'
import { NamedTimer } from './timer-heap.js'

/** What is kept of one key. */
export class KeyState implements TableEntry {
  readonly key: string
  mark = 0
  /** undefined: none. */
  state: unknown = undefined
  timers: NamedTimer<KeyState> | undefined = undefined
  /** Its last event, from which outputs of its timers follow. Kept while there are timers. */
  cause: StoredCause | undefined = undefined

  constructor(key: string) {
    this.key = key
  }
}

/** What is stored of a key: version, state, timers by name, cause. */
interface StoredKey {
  readonly v: number
  readonly s?: unknown
  readonly t?: Readonly<Record<string, number>>
  readonly c?: StoredCause
}

/** Plain data of a key, undefined when nothing is left of it. Shares the state with the entry. */
export function storedKey({ state, timers, cause }: KeyState, version: number): unknown {
  if (timers === undefined) return state === undefined ? undefined : { v: version, s: state }
  const byName: [string, number][] = []
  for (let timer: typeof timers | undefined = timers; timer !== undefined; timer = timer.next)
    byName.push([timer.name, timer.due])
  // names that are numbers or `__proto__` are names like others
  return { v: version, ...(state === undefined ? {} : { s: state }), t: Object.fromEntries(byName), c: cause }
}

/**
 * A key as it was stored, but for its state, which may be of an older version. Its timers are not in the heap yet.
 * @throws KEYED_STATE_UNREADABLE
 */
export function readKey(
  name: string,
  key: string,
  value: unknown,
): { readonly entry: KeyState; readonly version: number } {
  const { v, s, t = {}, c } = value as Partial<StoredKey>
  if (typeof v !== 'number') throw fault('KEYED_STATE_UNREADABLE', `${name}: key ${JSON.stringify(key)} is no state`)
  const entry = new KeyState(key)
  entry.state = s
  for (const [timer, due] of Object.entries(t)) entry.timers = new NamedTimer(entry, timer, due, entry.timers)
  entry.cause = c
  return { entry, version: v }
}
