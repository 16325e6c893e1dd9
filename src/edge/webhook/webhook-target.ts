/** A URL to send to, or what is wrong with it. */
export function parseTarget(text: string, http: boolean): URL | string {
  if (typeof text !== 'string' || !URL.canParse(text)) return 'it is no URL'
  const url = new URL(text)
  if (url.protocol !== 'https:' && !(http && url.protocol === 'http:'))
    return `${url.protocol} is not ${http ? 'http: or ' : ''}https:${url.protocol === 'http:' ? ' (allow.http)' : ''}`
  if (url.username !== '' || url.password !== '') return 'it has a password in it'
  url.hash = ''
  return url
}

/** What may be told of a URL: there may be a token behind the question mark. */
export function shownTarget(url: URL): string {
  return `${url.origin}${url.pathname}`
}
