import type { StreamConfig } from '@nats-io/jetstream'
import { fault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { systemClock } from '../time/system-clock.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'
import type { PlanStep } from './plan-streams.js'
import { inputNotes } from './replaced-input.js'
import { RELIED_FLAGS, type ManagedConfig } from './stream-config.js'
import { updateSources } from './update-sources.js'

/**
 * Carries out a plan. Nothing is changed when a step of it is refused. Repeating it is safe: a step that was done
 * already changes nothing.
 * @throws STREAM_CHANGE_REFUSED, STREAM_FLAGS_DROPPED and errors of the broker
 */
export async function applyStreams(
  connection: Connection,
  plan: readonly PlanStep[],
  clock: Clock = systemClock,
): Promise<void> {
  for (const step of plan) {
    if (step.kind !== 'refused') continue
    const settings = step.changes.map(({ setting }) => setting).join(', ')
    throw fault('STREAM_CHANGE_REFUSED', `${step.stream}: ${settings}: ${step.reason}`)
  }
  for (const step of plan) {
    if (step.kind === 'create') await create(connection, step.config)
    else if (step.kind === 'update' && step.config.sources === undefined) await update(connection, step.config)
    else if (step.kind === 'update') await updateSources(connection, step.config, clock)
  }
}

/** @throws STREAM_DRIFT when a deployed stream is not as declared */
export function requireNoDrift(plan: readonly PlanStep[]): void {
  const drifted = plan.filter(({ kind }) => kind !== 'unchanged')
  if (drifted.length === 0) return
  const detail = drifted.map((step) =>
    step.kind === 'create' ? `${step.stream} does not exist` : `${step.stream}: ${settingsOf(step)}`,
  )
  throw fault('STREAM_DRIFT', detail.join('; '))
}

function settingsOf(step: PlanStep): string {
  return 'changes' in step ? step.changes.map(({ setting }) => setting).join(', ') : ''
}

async function create(connection: Connection, declared: ManagedConfig): Promise<void> {
  const config = await withNotes(connection, declared)
  try {
    const { config: echoed } = await connection.manager.streams.add(config as Partial<StreamConfig> & { name: string })
    checkEcho(config, echoed)
  } catch (error) {
    throw asFault(error, `creating stream ${config.name}`)
  }
}

async function update(connection: Connection, config: ManagedConfig): Promise<void> {
  try {
    const { config: echoed } = await connection.manager.streams.update(config.name, config as Partial<StreamConfig>)
    checkEcho(config, echoed)
  } catch (error) {
    throw asFault(error, `updating stream ${config.name}`)
  }
}

/** A stream that is filled from others remembers when they were made. Its inputs come before it in a plan. */
async function withNotes(connection: Connection, config: ManagedConfig): Promise<ManagedConfig> {
  if (config.sources === undefined) return config
  const inputs = config.sources.map(({ name }) => name)
  return { ...config, metadata: { ...config.metadata, ...(await inputNotes(connection, inputs)) } }
}

/** An old server takes unknown settings without an error and leaves them out of its answer. */
function checkEcho(config: ManagedConfig, echoed: StreamConfig): void {
  const actual = echoed as unknown as Record<string, unknown>
  const dropped = RELIED_FLAGS.filter((flag) => config[flag] === true && actual[flag] !== true)
  if (dropped.length > 0) throw fault('STREAM_FLAGS_DROPPED', `${config.name}: ${dropped.join(', ')}`)
}
