// How schedules are often made, beside ours: what each of these does wrong, the tests of complaints have to notice.
import { Due } from './world.ts'
import type { World } from './world.ts'
import type { ScheduleDeclaration } from '../../src/schedule/schedule-options.ts'
import { nextTick } from '../../src/schedule/tick-rule.ts'
import { formatTime } from '../../src/event/rfc3339.ts'

/** What a scheduler may get wrong. */
export type Mistake =
  /** It begins with the next time after its start. */
  | 'forgets'
  /** It makes up for everything. */
  | 'floods'
  /** It sets its timer when it is first started, and after a restart runs only the one that is stored. */
  | 'fires once'
  /** It says where it is after it has stored the event, not with it. */
  | 'says it later'
  /** All schedules are in one value, which is changed by compare-and-set; who loses gives up. */
  | 'has one record'

export interface NaiveState {
  position: number | undefined
  /** Of the value that all share. */
  version: number
}

/** Runs a schedule in a process until `stop`. @param state what it has in its database */
export function runNaive(
  world: World,
  declaration: ScheduleDeclaration,
  mistake: Mistake,
  state: NaiveState,
): () => void {
  const { clock } = world
  const { rule } = declaration
  const restarted = state.position !== undefined
  let position = mistake === 'forgets' ? clock.now() : (state.position ?? clock.now())
  state.position ??= position
  let stopped = false
  let cancel = (): void => undefined
  const arm = (): void => {
    const next = nextTick(rule, position)
    if (next === undefined || stopped) return
    cancel = clock.after(Math.max(0, next - clock.now()), () => {
      position = next
      if (mistake !== 'has one record') return store(next)
      const seen = state.version
      cancel = clock.after(1, () => {
        if (state.version === seen) store(next)
        state.version += 1
        arm()
      })
    })
  }
  const store = (next: number): void => {
    const data = Buffer.from(JSON.stringify(Due({ at: formatTime(next), missed: 0 }).data))
    world.events.push({ subject: 's', headers: [], data })
    if (mistake === 'says it later') cancel = clock.after(500, () => say(next))
    else say(next)
    if (mistake === 'forgets' || mistake === 'floods' || (mistake === 'fires once' && !restarted)) arm()
  }
  const say = (next: number): void => {
    if (stopped) return
    state.position = next
    if (mistake === 'says it later') arm()
  }
  arm()
  return () => {
    stopped = true
    cancel()
  }
}
