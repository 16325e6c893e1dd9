// What keeps a process from ending, in words. It is asked when a process did not end, so tests pay nothing for it.
import { ChildProcess } from 'node:child_process'
import { Session, type Runtime } from 'node:inspector'
import { fileURLToPath } from 'node:url'

/** What process.getActiveResourcesInfo() calls timers; they are told one by one. */
const TIMERS = ['Timeout', 'Immediate']

/** Each thing that is open and has a part in it; the output of this process has none. */
export function leftOpen(): readonly string[] {
  const own = [process.stdout, process.stderr].map((stream) => wrapOf(stream))
  const left = process.getActiveResourcesInfo().filter((what) => {
    const at = own.indexOf(what)
    if (at >= 0) own.splice(at, 1)
    return at < 0 && !TIMERS.includes(what) && what !== 'ProcessWrap'
  })
  return [...timers(), ...children(), ...left]
}

/** What the handle of a stream is called among the resources. */
function wrapOf(stream: object): string {
  const { _handle } = stream as { _handle?: { constructor: { name: string } } | null }
  return `${_handle?.constructor.name ?? 'None'}Wrap`
}

function children(): readonly string[] {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles?: () => readonly unknown[] }
  return (handles?.call(process) ?? [])
    .filter((handle) => handle instanceof ChildProcess)
    .map(({ pid, spawnargs }) => `process ${pid}: ${spawnargs.join(' ')}`)
}

/** Timers that keep the process, and where what they call is written: the debugger knows both. */
function timers(): readonly string[] {
  const session = new Session()
  session.connect()
  const urls = new Map<string, string>()
  session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => urls.set(scriptId, url))
  const ask = <T>(method: string, params: object): T => {
    let answer: unknown
    // it answers before it returns, as nothing else can run meanwhile
    session.post(method, params, (error, result) => (answer = error ?? result))
    if (answer instanceof Error) throw answer
    return answer as T
  }
  try {
    ask('Debugger.enable', {})
    return alive(ask).map(({ ms, again, callback }) => {
      const { internalProperties = [] } = ask<Runtime.GetPropertiesReturnType>('Runtime.getProperties', {
        objectId: callback,
        ownProperties: true,
      })
      const place = internalProperties.find(({ name }) => name === '[[FunctionLocation]]')?.value?.value as
        { scriptId: string; lineNumber: number } | undefined
      const url = place === undefined ? undefined : urls.get(place.scriptId)
      const where = url === undefined || place === undefined ? 'a promise' : `${pathOf(url)}:${place.lineNumber + 1}`
      return `${again ? 'interval' : 'timer'} of ${ms} ms: ${where}`
    })
  } finally {
    session.disconnect()
  }
}

interface Timer {
  readonly ms: number
  readonly again: boolean
  /** The debugger’s name for what it calls. */
  readonly callback: string
}

/** Every timer that this process waits for. */
function alive(ask: <T>(method: string, params: object) => T): readonly Timer[] {
  const sample = setTimeout(() => undefined, 1)
  clearTimeout(sample)
  const name = 'millrace.timer'
  const holder = globalThis as Record<string, unknown>
  holder[name] = Object.getPrototypeOf(sample)
  const { result: prototype } = ask<Runtime.EvaluateReturnType>('Runtime.evaluate', {
    expression: `globalThis['${name}']`,
  })
  delete holder[name]
  const { objects } = ask<Runtime.QueryObjectsReturnType>('Runtime.queryObjects', {
    prototypeObjectId: prototype.objectId,
  })
  const call = <T>(objectId: string | undefined, functionDeclaration: string, returnByValue: boolean): T =>
    ask<Runtime.CallFunctionOnReturnType>('Runtime.callFunctionOn', { objectId, functionDeclaration, returnByValue })
      .result as T
  const kept = 'this.filter((one) => !one._destroyed && one._idleTimeout > 0 && one.hasRef())'
  const { value } = call<{ value: readonly Omit<Timer, 'callback'>[] }>(
    objects.objectId,
    `function () { return ${kept}.map((one) => ({ ms: one._idleTimeout, again: one._repeat !== null })) }`,
    true,
  )
  return value.map((timer, at) => {
    const callback = call<{ objectId: string }>(
      objects.objectId,
      `function () { return ${kept}[${at}]._onTimeout }`,
      false,
    )
    return { ...timer, callback: callback.objectId }
  })
}

const pathOf = (url: string): string => (url.startsWith('file:') ? fileURLToPath(url) : url)
