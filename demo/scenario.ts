// The demo's one scenario: publish, run, kill, recover, replay, compare.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '../src/broker/connection.ts'
import { decodeHeaderValue } from '../src/event/header-value.ts'
import { processorId, type Processor } from '../src/kernel/processor.ts'
import type { Comparison } from '../src/replay/compare-outputs.ts'
import { declaredProcessor } from '../src/pipeline/declared-pipeline.ts'
import { pipelineStreams, streamNamed, type Deployment } from '../src/runtime/deployment.ts'
import { ruleProcessor } from '../src/pipeline/rule-processor.ts'
import { processorsOf } from '../src/runtime/processors.ts'
import { DemoActors, type ActorsResult } from './actors.ts'
import { DemoJobs, type JobsResult } from './jobs.ts'
import { generatePayments } from './generate-payments.ts'
import type { DemoModel } from './model.ts'
import type { Narrator } from './narrate.ts'
import { caughtUp, committedTurns } from './positions.ts'
import { publishEvents, recordedMetrics } from './publish.ts'
import { RuntimeProcess } from './runtime-process.ts'
import { precisionRecall, type Score, type ScoredMatch } from './score.ts'
import { deadLetters, outputsOf, readStored, replayAndCompare, type Compared, type Worker } from './verify.ts'

export interface ScenarioOptions {
  readonly connection: Connection
  readonly url: string
  readonly deployment: Deployment
  readonly model: DemoModel
  readonly tell: Narrator
  readonly signal: AbortSignal
  readonly events: number
  readonly seed: number
}

/** One pipeline or rule: what it stored, and what a replay says to that. */
export interface Row {
  readonly processor: string
  readonly events: number
  readonly outputs: number
  readonly comparison: Comparison
  readonly score: Score | undefined
}

export interface ScenarioResult {
  readonly sent: { readonly metrics: number; readonly payments: number }
  readonly publishSeconds: number
  /** From the first event published until everything was caught up, the kill included. */
  readonly processSeconds: number
  /** Turns of all processors. */
  readonly turns: number
  readonly killedAt: number
  readonly recoveredMs: number
  readonly rows: readonly Row[]
  readonly deadLetters: Readonly<Record<string, number>>
  readonly expectedDeadLetters: Readonly<Record<string, number>>
  readonly inputsLost: number
  readonly duplicated: number
  readonly actors: ActorsResult
  readonly jobs: JobsResult
}

export async function runScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const { connection, url, deployment, model, tell, signal, events, seed } = options
  const processors = processorsOf(deployment)
  const streamOf = (name: string) => streamNamed(deployment, name)
  // rules work together, and each is replayed by itself
  const worked: Worker[] = [
    ...deployment.pipelines.map((pipeline) => ({
      processor: declaredProcessor(pipeline, pipelineStreams(deployment, pipeline)),
      outputTypes: pipeline.to.events.map(({ type }) => type),
    })),
    ...deployment.rules.map(({ rule }) => ({
      processor: ruleProcessor(rule, deployment.registry, { from: streamOf(rule.on), to: streamOf(rule.to) }),
      outputTypes: rule.outputTypes,
    })),
  ]
  const [first = processors[0]] = processors.filter(({ kind, name }) => kind === 'rules' && name === 'PAYMENTS')
  if (first === undefined) throw new Error('no processor is declared')

  tell.step('runtime')
  let runtime = await RuntimeProcess.start(url, model.env)
  tell.done(`process ${runtime.pid}: ${worked.map(({ processor }) => processorId(processor)).join(', ')}`)

  const actors = new DemoActors(connection, deployment)
  const jobs = new DemoJobs({ connection, url, deployment, model, tell })
  const placing = actors.place()
  placing.catch(() => undefined)

  tell.step('publish')
  const started = performance.now()
  const metrics = recordedMetrics()
  const payments = generatePayments({ seed, count: events })
  const machines = streamOf('MACHINES').root
  const paymentsRoot = streamOf('PAYMENTS').root
  const publishing = (async () => {
    const real = await publishEvents(connection, machines, metrics)
    const made = await publishEvents(connection, paymentsRoot, payments.events, (sent) =>
      tell.progress(`${sent.toLocaleString('en')} of ${events.toLocaleString('en')} payments`),
    )
    return { real, made }
  })()
  // kept from being unhandled while the kill is waited for; it is awaited below
  publishing.catch(() => undefined)

  // kill -9 in the middle of the work: no handler runs, and what is in flight is cut off wherever it is
  const half = events / 2
  let killedAt = 0
  while (killedAt < half) {
    signal.throwIfAborted()
    await sleep(5)
    killedAt = await committedTurns(connection, first)
  }
  await runtime.kill()
  const killed = performance.now()
  runtime = await RuntimeProcess.start(url, model.env)
  const recoveredMs = performance.now() - killed
  const { real, made } = await publishing
  tell.done(
    `${real.sent.toLocaleString('en')} real metrics and ${made.sent.toLocaleString('en')} payments in ${(real.seconds + made.seconds).toFixed(1)} s`,
  )
  tell.step('kill -9')
  tell.done(
    `at ${killedAt.toLocaleString('en')} events of ${processorId(first)}; running again after ${Math.round(recoveredMs)} ms`,
  )

  tell.step('process')
  await placing
  await caughtUp(connection, processors, (behind) => tell.progress(`${behind.toLocaleString('en')} messages to go`))
  const processSeconds = (performance.now() - started) / 1_000
  let turns = 0
  for (const processor of processors) turns += await committedTurns(connection, processor)
  tell.progress('the last orders')
  await actors.deliver(signal)
  tell.done(`${turns.toLocaleString('en')} turns of ${processors.length} processors in ${processSeconds.toFixed(1)} s`)

  tell.step('triage')
  const triaging = performance.now()
  await jobs.finish(signal)
  await runtime.stop()
  const triaged = await jobs.check()
  const waited = (performance.now() - triaging) / 1_000
  tell.done(`${triaged.jobs.length} jobs; model: ${triaged.model}; the last ones after ${waited.toFixed(1)} s`)

  tell.step('orders')
  const ordered = await actors.check()
  tell.done(
    `${ordered.completed} completed, ${ordered.compensated} taken back, ${ordered.commands.toLocaleString('en')} commands`,
  )

  tell.step('replay')
  const stored = await Promise.all(
    // those of actors and jobs have no events of producers
    [...new Set(worked.flatMap(({ processor: { from, to } }) => [from.stream, to.stream]))].map((stream) =>
      readStored(connection, stream),
    ),
  )
  const rows: Row[] = []
  const matches: ScoredMatch[] = []
  const comparedBy = new Map<Processor, Compared>()
  for (const name of new Set(worked.map(({ processor }) => processor.from.stream.name))) {
    signal.throwIfAborted()
    tell.progress(name)
    const together = worked.filter(({ processor }) => processor.from.stream.name === name)
    const compared = await replayAndCompare(connection, together, deployment.registry)
    compared.forEach((one, at) => comparedBy.set((together[at] as Worker).processor, one))
  }
  for (const { processor } of worked) {
    const { events: read, comparison } = comparedBy.get(processor) as Compared
    const outputs = stored.flatMap((stream) => outputsOf(stream, processor))
    if (processor.kind === 'rule')
      for (const { headers, data } of outputs) {
        const { since, cardId } = JSON.parse(Buffer.from(data).toString()) as { since?: number; cardId?: string }
        const to = Date.parse(decodeHeaderValue(headers.get('ce-time') ?? '') ?? '')
        matches.push({ rule: processor.name, key: cardId ?? '', from: since ?? to, to })
      }
    rows.push({
      processor: processorId(processor),
      events: read,
      outputs: outputs.length,
      comparison,
      score: undefined,
    })
  }
  const scores: Readonly<Record<string, Score>> = precisionRecall(matches, payments.labels)
  const labelled = new Set(payments.labels.map(({ kind }) => `rule-${kind}`))
  tell.done('every pipeline and rule over the whole log again, from sequence 1')
  const expectedDeadLetters: Record<string, number> = {}
  for (const code of [...payments.broken.map((event) => event.code), ...deadJobs(triaged)])
    expectedDeadLetters[code] = (expectedDeadLetters[code] ?? 0) + 1
  const sent = { metrics: real.sent, payments: made.sent }
  return {
    sent,
    publishSeconds: real.seconds + made.seconds,
    processSeconds,
    turns,
    killedAt,
    recoveredMs,
    rows: rows.map((row) => ({
      ...row,
      score: labelled.has(row.processor) ? scores[row.processor.slice(5)] : undefined,
    })),
    deadLetters: Object.fromEntries([...(await deadLetters(connection))].sort()),
    expectedDeadLetters: Object.fromEntries(Object.entries(expectedDeadLetters).sort()),
    inputsLost: sent.metrics + sent.payments - stored.reduce((sum, { inputs }) => sum + inputs, 0),
    actors: ordered,
    jobs: triaged,
    duplicated: stored.reduce((sum, { duplicated }) => sum + duplicated, 0),
  }
}

/** Codes of the letters that jobs have left: they stay when they are redriven. */
function deadJobs({ jobs }: JobsResult): readonly string[] {
  return jobs.flatMap(({ died, lastDeath = '' }) => Array<string>(died).fill(lastDeath))
}
