import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { KeyedEntry } from '../../kernel/processor.js'
import type { KeyedDeclaration } from '../define-keyed.js'
import { insideKey, type EntryTable } from '../../kernel/entry-table.js'
import type { EventIntake } from './event-intake.js'
import { readKey, type KeyState } from './key-state.js'
import type { NamedTimer, TimerHeap } from './timer-heap.js'
import { timersOf } from './timer-list.js'

/** Where what was stored belongs. */
export interface LoadTarget {
  readonly table: EntryTable<KeyState>
  readonly heap: TimerHeap<KeyState>
  readonly intake: EventIntake
}

/**
 * Reads stored keys back. A state of an older version is brought to this one, every state is checked; it is written in
 * the new form when its key changes or the state log is written again.
 * @throws KEYED_STATE_UNREADABLE
 */
export function loadKeys(
  declaration: KeyedDeclaration,
  entries: Iterable<KeyedEntry>,
  { table, heap, intake }: LoadTarget,
): void {
  const { name } = declaration
  const timers: NamedTimer<KeyState>[] = []
  for (const { key, value } of entries) {
    if (intake.load(key, value)) continue
    const { entry, version } = readKey(name, insideKey(key), value)
    if (entry.state !== undefined) entry.state = currentState(declaration, entry, version)
    table.load(entry)
    timers.push(...timersOf(entry))
  }
  heap.addAll(timers)
  intake.loaded()
}

function currentState({ name, version, migrate, schema }: KeyedDeclaration, entry: KeyState, from: number): unknown {
  const unreadable = (why: string, cause?: unknown): Error =>
    fault('KEYED_STATE_UNREADABLE', `${name}: key ${JSON.stringify(entry.key)} of version ${from}: ${why}`, { cause })
  if (from > version) throw unreadable(`this is version ${version}`)
  let state = entry.state
  if (from < version) {
    if (migrate === undefined && schema === undefined) throw unreadable('there is neither migrate nor a schema')
    if (migrate !== undefined)
      try {
        state = migrate(state, from)
      } catch (error) {
        throw isFault(error) && error.disposition === 'crash' ? error : unreadable(messageOf(error), error)
      }
  }
  const checked = schema?.safeParse(state)
  if (checked === undefined) return state
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  throw unreadable(`/${issue?.path.map(String).join('/') ?? ''} ${issue?.message ?? ''}`)
}
