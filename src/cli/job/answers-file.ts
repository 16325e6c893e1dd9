import { open, readFile } from 'node:fs/promises'
import { z } from 'zod'
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
  close(): Promise<void>
}

/** Begins a file that is not there yet. @throws OUTPUT_UNWRITABLE */
export async function newAnswers(path: string, selection: Selection): Promise<AnswersFile> {
  const file = await openAnswers(path, 'ax', selection, [])
  await file.line({ kind: 'millrace-job-replay', version: 1, selection })
  return file
}

/** Goes on with a file. A line that was not written to its end counts as not written. @throws INPUT_UNREADABLE, OUTPUT_UNWRITABLE */
export async function resumedAnswers(path: string): Promise<AnswersFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw fault('INPUT_UNREADABLE', messageOf(error), { cause: error })
  }
  const [head, ...lines] = text.split('\n').map(parse)
  const read = HEAD.safeParse(head)
  if (!read.success) throw fault('INPUT_UNREADABLE', `${path} is no result of millrace job replay`)
  const file = await openAnswers(path, 'a', read.data.selection, lines)
  if (!text.endsWith('\n')) await file.write('\n')
  return file
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
  const checked = async <T>(doing: () => Promise<T>): Promise<T> => {
    try {
      return await doing()
    } catch (error) {
      throw fault('OUTPUT_UNWRITABLE', `${path}: ${messageOf(error)}`, { cause: error })
    }
  }
  const file = await checked(() => open(path, mode))
  let last: Promise<unknown> = Promise.resolve()
  // one after the other, and on the disk: it was paid for
  const write = (text: string): Promise<void> => {
    const own = last.then(() => checked(() => file.appendFile(text).then(() => file.datasync())))
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
    close: () => last.then(() => checked(() => file.close())),
  }
}
