// A stand-in for the model, and tickets that are routed: node --import millrace/typescript try.ts ADDRESS PORT
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError, openDelayedEvents, openJobs, type FollowedProgress } from 'millrace'
import { modelAnswers, startModelServer } from 'millrace/testing'
import { TicketOpened } from './streams/support/events.js'
import SUPPORT from './streams/support/stream.js'

const [server = 'nats://127.0.0.1:4222', port = '4010'] = process.argv.slice(2)

// the desk is that of the text; it is too busy for what does not start, the first time, and refuses what is too long
const model = await startModelServer({
  port: Number(port),
  answers: ({ text, repeat }) => {
    if (text.includes('long')) return modelAnswers.error('invalid_request_error', { message: 'too long' })
    if (text.includes('start') && repeat === 1) return modelAnswers.overloaded()
    return modelAnswers.json({ desk: text.includes('charged') ? 'billing' : 'technical' })
  },
})

const connection = { server }
const { delayed, close } = await openDelayedEvents({ stream: SUPPORT, events: [TicketOpened], connection })
const jobs = await openJobs(SUPPORT, { connection })

/** How a job ends. It is known a moment after its request is stored. */
async function endOf(id: string): Promise<FollowedProgress | undefined> {
  let last: FollowedProgress | undefined
  while (last === undefined)
    try {
      for await (const event of jobs.follow(id)) last = event
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'JOB_NOT_FOUND')) throw error
      await sleep(100)
    }
  return last
}

for (const [id, text] of [
  ['ticket-1', 'I was charged twice.'],
  ['ticket-2', 'It does not start.'], // busy: it is asked again
  ['ticket-3', 'I was charged twice.'], // not asked: the answer is known
  ['ticket-4', 'A text that is too long.'], // a dead letter: `millrace dead-letters list` has it, with the reason
] as const) {
  const before = model.calls.length
  await delayed.store({ events: [TicketOpened({ customer: 'ann', text }, { id })] })
  const end = await endOf(id)
  const calls = model.calls.length - before
  if (end?.type === 'job.completed') console.log(`${id}: ${JSON.stringify(end.decision)}, calls: ${calls}`)
  if (end?.type === 'job.failed') console.log(`${id}: a dead letter, calls: ${calls}`)
}
await jobs.close()
await close()
await model.stop()
