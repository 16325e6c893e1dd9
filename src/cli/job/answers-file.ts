import { open, readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { tryLock, type HeldLock } from '../../broker/server-lock.js'
import { fault, messageOf } from '../../error/millrace-error.js'
import { draftOfJobEvent, jobEventOf } from '../../job/job-contracts.js'
import type { JobEvent } from '../../job/job-event.js'
import type { AskedLog } from '../../replay/ask-again.js'
import { SELECTION, type Selection } from './replay-flags.js'

// The answers of models that were asked again, in a file of lines: what was asked about, then what happened to each job, as its log
// would have it, and how it compares.

const HEAD = z.object({ kind: z.literal('millrace-job-replay'), version: z.literal(1), selection: SELECTION })
const LINE = z.object({
  id: z.string(),
  events: z.array(z.object({ type: z.string(), data: z.unknown() })).optional(),
  result: z.unknown().optional(),
})

export interface AnswersFile extends AskedLog {
  readonly path: string
  readonly selection: Selection
  /** Adds how a job compares, once. */
  result(id: string, row: object): Promise<void>
  /** Of all jobs. */
  all(): IterableIterator<readonly JobEvent[]>
  /** Lets go of it. Safe to call twice. */
  close(): Promise<void>
}

/** Begins a file that is not there yet. @throws OUTPUT_UNWRITABLE, JOB_REPLAY_BUSY */
export async function newAnswers(path: string, selection: Selection): Promise<AnswersFile> {
  const lock = await locked(path)
  const file = await openAnswers(path, 'ax', selection, lock, []).catch(async (error: unknown) => {
    await lock.release()
    throw error
  })
  await file.line({ kind: 'millrace-job-replay', version: 1, selection })
  return file
}

/** Goes on with a file. A line that was not written to its end counts as not written. @throws INPUT_UNREADABLE, OUTPUT_UNWRITABLE, JOB_REPLAY_BUSY */
export async function resumedAnswers(path: string): Promise<AnswersFile> {
  headOf(path, await textOf(path))
  const lock = await locked(path)
  try {
    // as it is now that nobody else writes to it
    const text = await textOf(path)
    const [, ...lines] = text.split('\n').map(parse)
    const file = await openAnswers(path, 'a', headOf(path, text), lock, lines)
    if (!text.endsWith('\n')) await file.write('\n')
    return file
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw fault('INPUT_UNREADABLE', messageOf(error), { cause: error })
  }
}

function headOf(path: string, text: string): Selection {
  const read = HEAD.safeParse(parse(text.split('\n', 1)[0] ?? ''))
  if (!read.success) throw fault('INPUT_UNREADABLE', `${path} is no result of millrace job replay`)
  return read.data.selection
}

/** A lock beside the file, which ends with its process: what is asked by two is paid twice. */
async function locked(path: string): Promise<HeldLock> {
  const file = await realpath(path).catch(() => path)
  const attempt = await checked(path, () => tryLock(join(dirname(file), `.${basename(file)}.lock`)))
  if (attempt.kind === 'held') return attempt.lock
  throw fault('JOB_REPLAY_BUSY', `${path}: process ${attempt.pid} on ${attempt.host} goes on with it`)
}

async function checked<T>(path: string, doing: () => Promise<T>): Promise<T> {
  try {
    return await doing()
  } catch (error) {
    throw fault('OUTPUT_UNWRITABLE', `${path}: ${messageOf(error)}`, { cause: error })
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

interface Writing extends AnswersFile {
  write(text: string): Promise<void>
  line(value: object): Promise<void>
}

async function openAnswers(
  path: string,
  mode: 'a' | 'ax',
  selection: Selection,
  lock: HeldLock,
  lines: readonly unknown[],
): Promise<Writing> {
  const known = new Map<string, readonly JobEvent[]>()
  const results = new Set<string>()
  for (const line of lines) {
    const { data } = LINE.safeParse(line)
    if (data === undefined) continue
    if (data.events !== undefined) known.set(data.id, [...(known.get(data.id) ?? []), ...data.events.map(jobEventOf)])
    if (data.result !== undefined) results.add(data.id)
  }
  const file = await checked(path, () => open(path, mode))
  let last: Promise<unknown> = Promise.resolve()
  let closed: Promise<void> | undefined
  // one after the other, and on the disk: it was paid for
  const write = (text: string): Promise<void> => {
    const own = last.then(() => checked(path, () => file.appendFile(text).then(() => file.datasync())))
    last = own.catch(() => undefined)
    return own
  }
  const line = (value: object): Promise<void> => write(`${JSON.stringify(value)}\n`)
  return {
    path,
    selection,
    write,
    line,
    all: () => known.values(),
    events: (id) => known.get(id) ?? [],
    append: async (id, events) => {
      known.set(id, [...(known.get(id) ?? []), ...events])
      const stored = events.map((event) => draftOfJobEvent(event)).map(({ type, data }) => ({ type, data }))
      await line({ id, events: stored })
    },
    result: async (id, row) => {
      if (results.has(id)) return
      results.add(id)
      await line({ id, result: row })
    },
    close: () =>
      (closed ??= last.then(async () => {
        await checked(path, () => file.close())
        await lock.release()
      })),
  }
}
