import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault } from '../error/millrace-error.js'
import type { UnitRun } from '../kernel/ownership/holding-port.js'
import type { OwnedUnit } from '../kernel/ownership/ownership-options.js'
import type { Log } from '../observe/log.js'
import { scheduleId, type ScheduleDeclaration } from '../schedule/schedule-options.js'
import { ScheduleRun, type ScheduleStatus } from '../schedule/schedule-run.js'
import { ScheduleStalls, type ScheduleStall } from '../schedule/schedule-stalls.js'
import { streamScheduleStore } from '../schedule/stream-schedule-store.js'
import { ruleText } from '../schedule/tick-rule.js'
import type { Clock } from '../time/clock.js'
import { systemId } from '../time/system-chance.js'
import { requireUnique } from './require-declared.js'

/** A schedule and the stream that its events go to. */
export interface DeployedSchedule {
  readonly declaration: ScheduleDeclaration
  readonly stream: StreamDeclaration
}

/**
 * The schedules of a deployment with their streams.
 * @throws DECLARATION_INVALID two have one name, or one names a stream that is not declared
 */
export function deploySchedules(
  schedules: readonly ScheduleDeclaration[],
  streams: readonly StreamDeclaration[],
): readonly DeployedSchedule[] {
  requireUnique(
    'schedule',
    schedules.map(({ name }) => name),
  )
  return schedules.map((declaration) => {
    const stream = streams.find(({ name }) => name === declaration.stream)
    if (stream !== undefined) return { declaration, stream }
    const known = streams.map(({ name }) => name).join(', ')
    const which = JSON.stringify(declaration.stream)
    throw fault(
      'DECLARATION_INVALID',
      `schedule ${declaration.name}: stream ${which} is not declared; there are: ${known}`,
    )
  })
}

/** How a schedule is named beside processors. */
export function deployedScheduleId({ declaration }: DeployedSchedule): string {
  return scheduleId(declaration.name)
}

export interface SchedulesOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly owner: string
  readonly schedules: readonly DeployedSchedule[]
}

/** The schedules that this process can run, one unit each, and those that it runs. */
export class SchedulesAtWork {
  readonly #options: SchedulesOptions
  readonly #running = new Map<string, ScheduleRun>()
  readonly #stalls: ScheduleStalls

  constructor(options: SchedulesOptions) {
    this.#options = options
    const replicas = Math.max(1, ...options.schedules.map(({ stream }) => stream.replicas))
    this.#stalls = new ScheduleStalls(options.connection, replicas)
  }

  get units(): readonly OwnedUnit[] {
    return this.#options.schedules.map((deployed) => {
      const id = deployedScheduleId(deployed)
      return { id, processor: id, revision: ruleText(deployed.declaration.rule) }
    })
  }

  get status(): readonly ScheduleStatus[] {
    return [...this.#running.values()].map(({ status }) => status)
  }

  /** Whether a unit is one of a schedule. */
  has(unit: string): boolean {
    return this.#options.schedules.some((deployed) => deployedScheduleId(deployed) === unit)
  }

  /** @throws what starting a schedule throws */
  async start(unit: string): Promise<UnitRun> {
    const { connection, clock, log, owner, schedules } = this.#options
    const deployed = schedules.find((one) => deployedScheduleId(one) === unit)
    if (deployed === undefined) throw new Error(`${unit} is none of this process`)
    const { declaration, stream } = deployed
    const store = streamScheduleStore(connection, clock, stream.name, declaration.name)
    const over = (): void => {
      this.#running.delete(unit)
      store.close()
    }
    try {
      const own = { store, owner: `${owner} ${systemId()}`, maxPayload: connection.server.maxPayload }
      const onStall = (stall: ScheduleStall | undefined): void => this.#stalls.tell(declaration.name, stall)
      const run = await ScheduleRun.start({ declaration, stream, clock, log, onStall, ...own })
      this.#running.set(unit, run)
      run.ended.then(over, over)
      return run
    } catch (error) {
      over()
      throw error
    }
  }
}
