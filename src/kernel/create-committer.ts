import { reportSubject } from '../broker/system-subject.js'
import type { Beginning } from './begin-unit.js'
import { Committer } from './committer.js'
import type { CommitterOptions } from './committer-options.js'
import { creditOf } from './open-feed.js'
import type { ProcessorOptions } from './processor-options.js'
import type { Processor } from './processor.js'
import { Reporting } from './report.js'
import { StateLog } from './state-log.js'
import { Takeover } from './takeover.js'

type Reports = Pick<CommitterOptions, 'recovered' | 'onStall' | 'onCommitted' | 'onFailure'>

const NOTHING = Promise.resolve()
/**
 * Messages of an actor’s unit that may wait for a commit. The units of a process share batches: so many of several are in
 * the one that is stored and in the next, and what waits longer is copied by the collector again and again.
 */
const ACTOR_OUTPUTS = 480

/** The committer of a unit, as its kind of memory needs it. */
export function createCommitter(
  { from, to, memory, kind }: Processor,
  { connection, clock, credit = creditOf({ kind, memory }) }: ProcessorOptions,
  { claim, logic, execution, spans, state, takesOver }: Beginning,
  reports: Reports,
): Committer {
  const { record } = claim
  const looks = memory === 'replay' || memory === 'keyed'
  return new Committer({
    ...reports,
    connection,
    clock,
    claim,
    input: from.stream.name,
    output: to.stream.name,
    root: to.stream.root,
    memory,
    credit,
    ...(kind === 'actor' ? { mostOutputs: ACTOR_OUTPUTS } : {}),
    snapshot: () => logic.snapshot?.(),
    // without a snapshot, nobody would know later which code has written what
    snapshotFirst: claim.upgrade === 'keep' && (claim.changedFrom !== undefined || record.snapshot === null),
    ...(looks ? { checkpoint: () => execution.checkpoint() } : {}),
    stateLog: memory === 'keyed' ? new StateLog(() => logic.entries?.() ?? [], state) : undefined,
    takeover: takesOver ? new Takeover(claim, to.stream.name) : undefined,
    spans,
    packing: to.packed === true ? { root: to.stream.root, partitions: to.stream.partitions } : undefined,
    notices: () => logic.notices,
    reporting:
      logic.report === undefined
        ? undefined
        : new Reporting(clock, reportSubject(to.stream.name, record.processor, record.partition), () =>
            logic.report?.(),
          ),
    ...(logic.beforeCommit === undefined ? {} : { before: (position) => logic.beforeCommit?.(position) ?? NOTHING }),
    bounded: to.stream.maxBytes !== -1,
    keepsJournal: to.stream.maxBytes === -1 && to.stream.maxAge === 0,
  })
}
