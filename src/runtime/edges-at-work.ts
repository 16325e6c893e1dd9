import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import type { EdgeAtWork, EdgeStatus } from '../edge/edge-status.js'
import { EdgeTelling } from '../edge/edge-telling.js'
import { startFileSink } from '../edge/file/file-sink.js'
import { serveHttpSource } from '../edge/http/serve-http-source.js'
import { startSubjectSource } from '../edge/subject/subject-source.js'
import { startFileSource } from '../edge/tail/file-source.js'
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import type { Registry } from '../event/registry.js'
import type { UnitRun } from '../kernel/ownership/holding-port.js'
import type { OwnedUnit } from '../kernel/ownership/ownership-options.js'
import type { Log } from '../observe/log.js'
import { PostgresSinkRun } from '../outbox/postgres-sink.js'
import type { Clock } from '../time/clock.js'
import { systemId } from '../time/system-chance.js'
import { isUnit, type DeployedEdge } from './deployed-edges.js'

export interface EdgesOptions {
  readonly connection: Connection
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  readonly owner: string
  readonly edges: readonly DeployedEdge[]
}

const TELL_EVERY_MS = 2_000

/** Sinks and sources that this process can run: each is a unit, which one process of the group owns. */
export class EdgesAtWork {
  readonly #options: EdgesOptions
  readonly #running = new Map<string, EdgeAtWork>()
  readonly #telling: EdgeTelling
  readonly #everywhere: UnitRun[] = []
  #stopTelling: (() => void) | undefined

  constructor(options: EdgesOptions) {
    const { connection, clock, owner } = options
    this.#options = options
    this.#telling = new EdgeTelling(connection, clock, owner)
  }

  get units(): readonly OwnedUnit[] {
    return this.#options.edges.filter(isUnit).map(({ id, declaration }) => ({
      id,
      processor: id,
      revision: 'version' in declaration ? String(declaration.version) : '',
    }))
  }

  get status(): readonly EdgeStatus[] {
    return [...this.#running.values()].map(({ status }) => status)
  }

  has(unit: string): boolean {
    return this.#options.edges.some((one) => isUnit(one) && one.id === unit)
  }

  /** @throws SINK_INVALID its client cannot be made */
  start(unit: string): UnitRun {
    const { edges, log, clock } = this.#options
    this.#stopTelling ??= clock.every(TELL_EVERY_MS, () => void this.#telling.tell(this.status))
    const deployed = edges.find(({ id }) => id === unit)
    if (deployed === undefined) throw new Error(`${unit} is none of this process`)
    const run = startEdge(this.#options, deployed)
    this.#running.set(unit, run)
    log.info({ edge: unit, stream: deployed.stream.name }, 'started')
    run.ended.catch(async () => {
      await this.#telling.tell([run.status])
      this.#running.delete(unit)
    })
    const stop = async (): Promise<void> => {
      await run.stop()
      await this.#telling.tell([run.status])
      this.#running.delete(unit)
    }
    return { stop, ended: run.ended }
  }

  /** Starts those that every process runs. */
  startEverywhere(): void {
    for (const deployed of this.#options.edges) if (!isUnit(deployed)) this.#everywhere.push(this.start(deployed.id))
  }

  /** Those that every process runs take nothing more. */
  async stopEverywhere(): Promise<void> {
    await Promise.all(this.#everywhere.map((run) => run.stop()))
  }

  /** To be called when its units have stopped. */
  stop(): void {
    this.#stopTelling?.()
  }
}

function startEdge(options: EdgesOptions, { id, declaration, stream, capture }: DeployedEdge): EdgeAtWork {
  const { connection, registry, clock, log, owner } = options
  const shared = { connection, registry, clock, log, stream }
  const run = `${owner} ${systemId()}`
  switch (declaration.kind) {
    case 'file-sink':
      return startFileSink({ ...shared, declaration, run })
    case 'file-source':
      return startFileSource({ ...shared, declaration, run })
    case 'subject-source':
      return startSubjectSource({ ...shared, declaration, run, capture: capture as StreamDeclaration })
    case 'http-source':
      return serveHttpSource({ ...shared, declaration, newId: systemId })
    case 'postgres-sink':
      try {
        return postgresAtWork(
          id,
          PostgresSinkRun.start({ ...shared, declaration, owner, newId: systemId }),
          stream.name,
        )
      } catch (error) {
        if (isFault(error)) throw error
        const detail = `${declaration.name}: its client cannot be made: ${messageOf(error)}`
        throw fault('SINK_INVALID', detail, { cause: error })
      }
  }
}

function postgresAtWork(edge: string, run: PostgresSinkRun, stream: string): EdgeAtWork {
  let ended = (): void => undefined
  return {
    ended: new Promise((resolve) => (ended = resolve)),
    get status(): EdgeStatus {
      const { state, stall, position, written: done, letters } = run.status
      const now = state === 'writing' ? 'working' : state
      return { edge, kind: 'postgres-sink', stream, state: now, stall, position, done, letters }
    },
    stop: async () => {
      await run.stop()
      ended()
    },
  }
}
