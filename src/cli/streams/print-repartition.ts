import type {
  PlannedProcessor,
  RepartitionPlan,
  RepartitionProgress,
} from '../../kernel/repartition/repartition-options.js'
import type { CliContext } from '../context.js'
import type { Output } from '../output.js'
import { createLiveLine } from '../progress.js'
import { count, counted, printTable, type Column } from '../table.js'

/** What will become of each processor. */
export function printRepartitionPlan(
  out: Output,
  { stream, from, to, state, processors, held }: RepartitionPlan,
): void {
  const takesBack = state === 'begun' && from === to
  if (state === 'nothing') return out.line(`${stream} has ${to} partitions already`)
  if (takesBack) return out.line(`${stream}: the change that was begun is taken back`)
  const goesOn = state === 'new' ? '' : ', which was begun'
  out.line(`${stream}: from ${from} to ${to} partitions${goesOn}`)
  if (processors.length > 0) printTable(out, COLUMNS, processors)
  if (held.length > 0) out.line(`they stand still meanwhile: ${held.join(', ')}`)
}

const COLUMNS: readonly Column<PlannedProcessor>[] = [
  { title: 'PROCESSOR', value: ({ processor }) => processor },
  { title: 'BEHIND', align: 'right', value: ({ behind, neverRan }) => (neverRan ? '' : count(behind)) },
  { title: 'STATE', value: fate },
]

function fate({ memory, cut, living, parkedKeys, neverRan }: PlannedProcessor): string {
  const parks = parkedKeys === 0 ? '' : `; ${counted(parkedKeys, 'parked key')} with it`
  if (neverRan) return 'has never run'
  switch (memory) {
    case 'none':
      return `none${parks}`
    case 'keyed':
      return `${cut ? 'is left behind' : 'goes to the new partitions, key by key'}${parks}`
    default: {
      const busy = living === 0 ? 'keys are idle' : `keys are not idle in ${counted(living, 'partition')}`
      return `${busy}${cut ? ': they end' : living === 0 ? '' : ': it waits for them'}${parks}`
    }
  }
}

const LINE_MS = 2_000

/** Tells on `err` what goes on: in place on a terminal, else a line for each step, and nothing with --json. */
export function repartitionProgress({ err, clock, json }: CliContext): {
  show(progress: RepartitionProgress): void
  end(): void
} {
  const live = createLiveLine(err)
  let shownAt = clock.monotonic()
  const show = (progress: RepartitionProgress): void => {
    if (json) return
    const text = textOf(progress)
    if (err.isTty) return live.show(text)
    if (!isStep(progress) && clock.monotonic() - shownAt < LINE_MS) return
    shownAt = clock.monotonic()
    err.line(text)
  }
  return { show, end: () => (err.isTty && !json ? live.end() : undefined) }
}

/** Whether something is done; else it is on its way, and said again and again. */
function isStep(progress: RepartitionProgress): boolean {
  if (progress.kind === 'draining') return progress.unit === progress.units
  return progress.kind !== 'waiting' && progress.kind !== 'pausing'
}

function textOf(progress: RepartitionProgress): string {
  switch (progress.kind) {
    case 'waiting': {
      const idle = progress.living === 0 ? '' : `, keys not idle in ${counted(progress.living, 'partition')}`
      return `waiting: ${counted(progress.behind, 'message')} behind${idle}`
    }
    case 'pausing':
      return `pausing: ${counted(progress.units, 'unit')} not given back yet`
    case 'draining':
      return `${progress.processor}: ${progress.unit} of ${counted(progress.units, 'partition')} up to date`
    case 'switched':
      return `the stream uses the new number since sequence ${progress.cut}`
    case 'moved':
      return `${progress.processor}: moved, ${counted(progress.entries, 'key')}`
    case 'resumed':
      return `${counted(progress.processors.length, 'processor')} resumed`
    case 'taken-back':
      return 'taken back'
  }
}
