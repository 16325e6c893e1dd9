export interface City {
  readonly name: string
  readonly country: string
  readonly latitude: number
  readonly longitude: number
}

function city(name: string, country: string, latitude: number, longitude: number): City {
  return { name, country, latitude, longitude }
}

/** Where the bank’s customers live. */
export const HOME_CITIES: readonly City[] = [
  city('Berlin', 'DE', 52.52, 13.405),
  city('Hamburg', 'DE', 53.551, 9.994),
  city('Munich', 'DE', 48.137, 11.575),
  city('Cologne', 'DE', 50.938, 6.957),
  city('Paris', 'FR', 48.857, 2.352),
  city('Lyon', 'FR', 45.764, 4.836),
  city('Madrid', 'ES', 40.417, -3.704),
  city('Barcelona', 'ES', 41.387, 2.168),
  city('Lisbon', 'PT', 38.722, -9.139),
  city('Rome', 'IT', 41.903, 12.496),
  city('Milan', 'IT', 45.464, 9.19),
  city('Vienna', 'AT', 48.208, 16.373),
  city('Amsterdam', 'NL', 52.368, 4.904),
  city('Brussels', 'BE', 50.85, 4.352),
  city('Dublin', 'IE', 53.35, -6.26),
  city('Helsinki', 'FI', 60.17, 24.938),
]

/** Where they travel to beside each other’s cities. None of the trips crosses the 180th meridian. */
export const FAR_CITIES: readonly City[] = [
  city('London', 'GB', 51.507, -0.128),
  city('Istanbul', 'TR', 41.008, 28.978),
  city('Dubai', 'AE', 25.205, 55.271),
  city('New York', 'US', 40.713, -74.006),
  city('Miami', 'US', 25.762, -80.192),
  city('São Paulo', 'BR', -23.551, -46.633),
  city('Nairobi', 'KE', -1.292, 36.822),
  city('Mumbai', 'IN', 19.076, 72.878),
  city('Bangkok', 'TH', 13.756, 100.502),
  city('Singapore', 'SG', 1.352, 103.82),
  city('Tokyo', 'JP', 35.677, 139.65),
  city('Cape Town', 'ZA', -33.925, 18.424),
]

export const ALL_CITIES: readonly City[] = [...HOME_CITIES, ...FAR_CITIES]

const EARTH_RADIUS_KM = 6371

/** Great-circle distance in kilometres (haversine). */
export function distanceKm(from: City, to: City): number {
  const radians = Math.PI / 180
  const half = (degrees: number): number => Math.sin((degrees * radians) / 2) ** 2
  const chord =
    half(to.latitude - from.latitude) +
    Math.cos(from.latitude * radians) * Math.cos(to.latitude * radians) * half(to.longitude - from.longitude)
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(chord))
}
