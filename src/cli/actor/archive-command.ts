import { join } from 'node:path'
import { parseRecordSubject, recordFilter } from '../../actor/aggregate-subject.js'
import { subjectsIn } from '../../broker/subjects-in.js'
import { fault } from '../../error/millrace-error.js'
import {
  archivable,
  archiveAggregate,
  type ArchivePlace,
  type Archived,
} from '../../replay/archive/archive-aggregate.js'
import { actorNamed } from '../../runtime/deployment.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped, settled } from '../or-stopped.js'
import { createProgress } from '../progress.js'
import { count, counted } from '../table.js'
import { timeOf } from './actor-at.js'
import { archiveFolder } from './archive-folder.js'

export interface ArchiveFlags {
  readonly to?: string
  readonly closedBefore?: string
  readonly dryRun?: boolean
}

/** Aggregates at a time. */
const AT_ONCE = 8

/**
 * Takes the histories of closed aggregates out of the stream and into files.
 * @throws USAGE, DECLARATION_UNKNOWN, OUTPUT_UNWRITABLE, INTERRUPTED; see archiveAggregate
 */
export async function archiveCommand(context: CliContext, type: string, flags: ArchiveFlags): Promise<void> {
  const { clock, signal, json, out, err } = context
  const dryRun = flags.dryRun === true
  if (flags.to === undefined && !dryRun) throw fault('USAGE', 'say --to which folder, or --dry-run')
  const now = clock.now()
  const before = flags.closedBefore === undefined ? now : timeOf('--closed-before', flags.closedBefore, now)
  const { actor, stream } = actorNamed(await context.deployment({ rules: false }), type)
  const connection = await orStopped(context.connect(), signal)
  const ids = await orStopped(idsOf({ connection, clock, actor, stream }), signal)
  const place: ArchivePlace = { connection, clock, actor, stream, signal }
  const folder = join(flags.to ?? '', type)
  const store = dryRun ? undefined : await archiveFolder(folder)
  const progress = createProgress(context, { label: dryRun ? 'looking' : 'archiving', unit: 'aggregates' })
  const done: { readonly id: string; readonly archived: Archived | undefined }[] = []
  const one = async (id: string): Promise<void> => {
    if (store !== undefined) done.push({ id, archived: await archiveAggregate(place, id, before, store) })
    else {
      const head = await archivable(place, id, before)
      if (head !== undefined && head.frame?.a === undefined) done.push({ id, archived: undefined })
    }
  }
  let looked = 0
  try {
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      signal.throwIfAborted() // what is archived is; the rest, the next time
      const together = ids.slice(at, at + AT_ONCE)
      await settled(context, Promise.all(together.map(one)))
      progress.update((looked += together.length), looked / ids.length)
    }
  } finally {
    progress.end()
  }
  const chosen = done.filter(({ archived }) => archived === undefined || archived.kind === 'archived')
  if (json)
    return printJson(context, {
      type,
      dryRun,
      folder,
      archived: chosen.map(({ id, archived }) => ({ id, ...archived })),
    })
  for (const { id, archived } of chosen)
    out.line(archived?.kind === 'archived' ? `${id}  ${archived.file}  ${count(archived.messages)}` : id)
  const rest = dryRun ? 'would be archived' : `archived in ${folder}`
  err.line(`${counted(chosen.length, 'aggregate')} of ${count(ids.length)} ${rest}`)
}

async function idsOf({ connection, actor, stream }: ArchivePlace): Promise<readonly string[]> {
  const subjects = await subjectsIn(connection, stream.name, recordFilter(stream.root, actor.name))
  const ids = new Set<string>()
  for (const subject of subjects) {
    const name = parseRecordSubject(stream.root, subject)
    if (name !== undefined) ids.add(name.id)
  }
  return [...ids].toSorted()
}
