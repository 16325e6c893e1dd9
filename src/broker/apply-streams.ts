import type { StreamConfig } from '@nats-io/jetstream'
import { fault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'
import type { PlanStep } from './plan-streams.js'
import { RELIED_FLAGS, type ManagedConfig } from './stream-config.js'

/**
 * Carries out a plan. Nothing is changed when a step of it is refused. Repeating it is safe: a step that was done
 * already changes nothing.
 * @throws STREAM_CHANGE_REFUSED, STREAM_FLAGS_DROPPED and errors of the broker
 */
export async function applyStreams(connection: Connection, plan: readonly PlanStep[]): Promise<void> {
  for (const step of plan) {
    if (step.kind !== 'refused') continue
    const settings = step.changes.map(({ setting }) => setting).join(', ')
    throw fault('STREAM_CHANGE_REFUSED', `${step.stream}: ${settings}: ${step.reason}`)
  }
  for (const step of plan) {
    if (step.kind === 'create') await create(connection, step.config)
    else if (step.kind === 'update') await update(connection, step.config)
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

async function create(connection: Connection, config: ManagedConfig): Promise<void> {
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

/** An old server takes unknown settings without an error and leaves them out of its answer. */
function checkEcho(config: ManagedConfig, echoed: StreamConfig): void {
  const actual = echoed as unknown as Record<string, unknown>
  const dropped = RELIED_FLAGS.filter((flag) => config[flag] === true && actual[flag] !== true)
  if (dropped.length > 0) throw fault('STREAM_FLAGS_DROPPED', `${config.name}: ${dropped.join(', ')}`)
}
