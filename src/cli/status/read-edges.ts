import type { Connection } from '../../broker/connection.js'
import { messagesBehind } from '../../broker/position-consumer.js'
import { readTold, type ToldEdge } from '../../edge/edge-telling.js'
import { isFault } from '../../error/millrace-error.js'
import type { DeployedEdge } from '../../runtime/deployed-edges.js'
import type { Output } from '../output.js'
import { count, printTable, type Column } from '../table.js'

/** How a sink or source was when it last told. */
export type EdgeLag =
  | (ToldEdge & {
      /** Of a sink: messages of its stream behind its position. */
      readonly lag: number | undefined
    })
  | (Pick<ToldEdge, 'edge' | 'kind' | 'stream'> & { readonly state: 'never run' })

/** @throws errors of the broker */
export function readEdges(connection: Connection, edges: readonly DeployedEdge[] = []): Promise<readonly EdgeLag[]> {
  return Promise.all(edges.map((deployed) => readEdge(connection, deployed)))
}

async function readEdge(connection: Connection, { id, declaration, stream }: DeployedEdge): Promise<EdgeLag> {
  const never: EdgeLag = { edge: id, kind: declaration.kind, stream: stream.name, state: 'never run' }
  try {
    const told = await readTold(connection, stream.name, id)
    if (told === undefined) return never
    const { position } = told
    if (!id.startsWith('sink-') || typeof position !== 'number') return { ...told, lag: undefined }
    const behind = { stream: stream.name, filters: [`${stream.root}.>`], after: position }
    return { ...told, lag: await messagesBehind(connection, behind) }
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return never
    throw error
  }
}

/** A table of sinks and sources, when there are any, and what stands in their way. */
export function printEdges(out: Output, edges: readonly EdgeLag[]): void {
  if (edges.length === 0) return
  out.line()
  printTable(out, COLUMNS, edges)
  for (const one of edges)
    if (one.state !== 'never run' && one.stall !== undefined)
      out.line(out.style('yellow', `${one.edge}: stands still: ${one.stall.code}, ${one.stall.detail}`))
}

type Told = Exclude<EdgeLag, { state: 'never run' }>

const told = (title: string, of: (edge: Told) => string): Column<EdgeLag> => ({
  title,
  align: 'right',
  value: (edge) => (edge.state === 'never run' ? '' : of(edge)),
})

const COLUMNS: readonly Column<EdgeLag>[] = [
  { title: 'SINK, SOURCE', value: ({ edge }) => edge },
  { title: 'KIND', value: ({ kind }) => kind.replace(/-(sink|source)$/, '') },
  { title: 'STREAM', value: ({ stream }) => stream },
  told('POSITION', ({ position }) => String(position)),
  told('LAG MSGS', ({ lag }) => (lag === undefined ? '' : count(lag))),
  told('EVENTS', ({ done }) => count(done)),
  told('DEAD', ({ letters }) => count(letters)),
  { title: 'STATE', value: ({ state }) => state },
  { title: 'OWNER', value: (edge) => (edge.state === 'never run' ? '' : edge.owner) },
]
