/** Does work after whatever else happens in this turn of the event loop, once for all who ask for it. */
export function oncePerTurn(work: () => void): () => void {
  let isAsked = false
  return () => {
    if (isAsked) return
    isAsked = true
    setImmediate(() => {
      isAsked = false
      work()
    })
  }
}
