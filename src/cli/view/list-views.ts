import type { Connection } from '../../broker/connection.js'
import { readPointers, type ViewPlace, type ViewPointer } from '../../view/view-pointer.js'
import { recordsOf } from '../../view/view-progress.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { count, printTable } from '../table.js'

/** One version of a view. */
interface Listed {
  readonly view: string
  readonly stream: string
  readonly version: number
  readonly bucket: string
  readonly state: 'live' | 'being made' | 'replaced'
  /** Of the unit that is furthest. */
  readonly position: number
}

/** Lists every view that has ever run. @throws VIEW_POINTER_INVALID, and errors of the broker */
export async function listViews(context: CliContext): Promise<void> {
  const connection = await orStopped(context.connect(), context.signal)
  const pointers = await orStopped(readPointers(connection, context.clock), context.signal)
  const views: Listed[] = []
  for (const pointer of pointers) views.push(...(await orStopped(versionsOf(connection, pointer), context.signal)))
  if (context.json) return printJson(context, { views })
  if (views.length === 0) return context.out.line('No view has run yet.')
  printTable(
    context.out,
    [
      { title: 'view', value: ({ view }) => view, flexible: true },
      { title: 'version', align: 'right', value: ({ version }) => String(version) },
      { title: 'state', value: ({ state }) => state },
      { title: 'stream', value: ({ stream }) => stream },
      { title: 'position', align: 'right', value: ({ position }) => count(position) },
      { title: 'bucket', value: ({ bucket }) => bucket },
    ],
    views,
  )
}

async function versionsOf(connection: Connection, pointer: ViewPointer): Promise<Listed[]> {
  const { current, next, former } = pointer
  const places: readonly (readonly [ViewPlace, Listed['state']])[] = [
    [current, 'live'],
    ...(next === null ? [] : [[next, 'being made'] as const]),
    ...former.map((place) => [place, 'replaced'] as const),
  ]
  const listed: Listed[] = []
  for (const [place, state] of places) {
    const records = [...(await recordsOf(connection, pointer, place)).values()]
    const position = Math.max(0, ...records.map((record) => record?.position ?? 0))
    const { version, bucket } = place
    listed.push({ view: pointer.view, stream: pointer.stream.name, version, bucket, state, position })
  }
  return listed
}
