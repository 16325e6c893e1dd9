import { fault, messageOf } from '../error/millrace-error.js'
import { pointerTo } from '../event/data-issues.js'
import type { AggregateShape } from './aggregate-shape.js'
import { hasState, type StateFrame } from './state-frame.js'

/** A stored state, brought to the version of the actor. */
export type StoredState =
  | { readonly kind: 'usable'; readonly state: unknown }
  /** An earlier version wrote it, and it does not fit: the history tells what the state is now. */
  | { readonly kind: 'outdated' }
  | { readonly kind: 'none' }

/**
 * The state in a frame, as the actor declares it.
 * @param where it was read, for the error
 * @throws AGGREGATE_STATE_NEWER, AGGREGATE_STATE_INVALID
 */
export function openState(actor: AggregateShape, frame: StateFrame | undefined, where: string): StoredState {
  if (frame === undefined || !hasState(frame)) return { kind: 'none' }
  if (frame.sv > actor.version)
    throw fault('AGGREGATE_STATE_NEWER', `${where}: version ${frame.sv}, this is ${actor.version}`)
  const earlier = frame.sv < actor.version
  const state = earlier && actor.migrate !== undefined ? migrated(actor, frame, where) : frame.s
  const checked = actor.schema?.safeParse(state)
  if (checked === undefined) return { kind: 'usable', state }
  if (checked.success) return { kind: 'usable', state: checked.data }
  if (earlier && actor.migrate === undefined) return { kind: 'outdated' }
  const issues = checked.error.issues.map(({ path, message }) => ({ detail: message, pointer: pointerTo(path) }))
  throw fault('AGGREGATE_STATE_INVALID', `${where}: ${issues[0]?.pointer ?? ''} ${issues[0]?.detail ?? ''}`, { issues })
}

function migrated({ migrate, version }: AggregateShape, { s, sv }: StateFrame, where: string): unknown {
  try {
    return migrate?.(s, sv)
  } catch (cause) {
    const detail = `${where}: migrate from version ${sv} to ${version} threw: ${messageOf(cause)}`
    throw fault('AGGREGATE_STATE_INVALID', detail, { cause })
  }
}
