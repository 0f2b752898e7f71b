/* The tracker of Leadlight, as it is written; `leadlight.min.js` beside it is what pages get.

   <script async src="https://HOST/v1/leadlight.js" data-key="KEY"></script>

   It sends page views (also of apps that change the address themselves), clicks on links and on what has
   `data-leadlight`, how far was scrolled, and that a form was sent: never what is in its fields, but for an e-mail
   field that has `data-leadlight-identify`. With `data-consent="wait"` nothing is kept or sent before
   `leadlight('consent', true)`. Do Not Track and Global Privacy Control are honoured, unless `data-signals="ignore"`.

   What is not known to have arrived lies in the page's own storage, and is sent again: at the next try, or by the next
   page. Every call has an id of its own, so that hearing of it twice does no harm. */
(function (window, document, navigator, location) {
  var script = document.currentScript
  var set = script.dataset
  var base = script.src.replace(/\/leadlight(\.min)?\.js.*/, '')
  var earlier = (window.leadlight && window.leadlight.q) || []
  var refused = set.signals != 'ignore' && (navigator.globalPrivacyControl || navigator.doNotTrack == '1')
  var allowed = !refused && set.consent != 'wait'
  var tab = 'll_q' + random()
  var queue = []
  var busy, timer, tries = 0
  var kept = {}
  var at, before = document.referrer, began, deepest, left

  function random() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), function (byte) {
      return (byte + 256).toString(16).slice(1)
    }).join('')
  }

  /* ------------------------------------------------------------------------------------------------- who it is */

  function cookie(value, age) {
    if (set.cookie) document.cookie = 'll_id=' + value + ';path=/;samesite=lax;max-age=' + age + ';domain=' + set.cookie
  }

  /* The device's id: in storage, and in a cookie too where `data-cookie` names a domain for all its hosts. */
  function device() {
    var found = (set.cookie && (document.cookie.match(/ll_id=(\w+)/) || [])[1]) || read('ll_id') || random()
    write('ll_id', found)
    cookie(found, 31536000)
    return found
  }

  /* A browser may refuse storage: then it is kept as long as the page lives. A campaign is kept for the visit. */
  function store(name) {
    return window[name == 'll_utm' ? 'sessionStorage' : 'localStorage']
  }

  function read(name) {
    try { return store(name).getItem(name) } catch (_) { return kept[name] }
  }

  function write(name, value) {
    try { value ? store(name).setItem(name, value) : store(name).removeItem(name) } catch (_) { kept[name] = value }
  }

  function forget() {
    queue = []
    for (var name of ['ll_id', 'll_user', 'll_utm', tab]) write(name)
    cookie('', 0)
  }

  /* --------------------------------------------------------------------------------------------------- sending */

  function call(type, more) {
    if (!allowed) return
    queue.push(Object.assign({
      type: type, messageId: random(), timestamp: new Date().toISOString(),
      anonymousId: device(), userId: read('ll_user') || undefined,
      context: {
        page: { path: location.pathname, url: location.href, title: document.title, referrer: before },
        campaign: JSON.parse(read('ll_utm') || '{}'), userAgent: navigator.userAgent
      }
    }, more))
    queue = queue.slice(-200)
    save()
    later(queue.length < 20 ? 1000 : 0)
  }

  function save() {
    write(tab, queue.length && JSON.stringify(queue))
  }

  function later(wait) {
    if (!timer && !busy) timer = setTimeout(flush, wait)
  }

  function body(calls) {
    return JSON.stringify({ batch: calls, writeKey: set.key, sentAt: new Date().toISOString() })
  }

  function flush() {
    timer = 0
    var calls = queue.slice(0, 20)
    if (!calls.length || !allowed) return
    busy = 1
    var text = body(calls)
    /* Text needs no leave of the browser's first; the key is in the body. What is kept alive may have 64 KB. */
    fetch(base + '/batch', {
      method: 'POST', body: text, keepalive: text.length < 6e4, credentials: 'omit'
    }).then(function (answer) {
      if (answer.status == 429 || answer.status == 408 || answer.status > 499) throw +answer.headers.get('retry-after')
      queue = queue.filter(function (one) { return calls.indexOf(one) < 0 })
      tries = 0
      return 0
    }).catch(function (wait) {
      return (wait > 0 ? wait * 1000 : 1000 * Math.pow(2, Math.min(tries++, 8))) + Math.random() * 500
    }).then(function (wait) {
      busy = 0
      if (!allowed) return
      save()
      if (queue.length) later(wait)
    })
  }

  /* Whether this arrives nobody hears: it stays in storage, and the next page sends it again. */
  function leave() {
    scrolled()
    for (var start = 0; allowed && start < queue.length; start += 20) {
      navigator.sendBeacon(base + '/batch', body(queue.slice(start, start + 20)))
    }
  }

  /* ------------------------------------------------------------------------------------------- what is looked at */

  function page(properties) {
    if (!allowed) return
    scrolled()
    var utm = {}
    new URLSearchParams(location.search).forEach(function (value, name) {
      if (/^utm_/.test(name)) utm[name == 'utm_campaign' ? 'name' : name.slice(4)] = value
    })
    if (Object.keys(utm).length) write('ll_utm', JSON.stringify(utm))
    at = address()
    began = Date.now()
    deepest = left = 0
    measure()
    call('page', { properties: properties })
  }

  function address() {
    return location.pathname + location.search + (/^#[!/]/.test(location.hash) ? location.hash : '')
  }

  function moved() {
    if (!at || at == address()) return
    scrolled()
    before = location.origin + at
    page()
  }

  function measure() {
    var root = document.documentElement
    var seen = Math.round(100 * (window.scrollY + window.innerHeight) / root.scrollHeight)
    deepest = Math.max(deepest, Math.min(100, seen))
  }

  function scrolled() {
    if (at && deepest > left) {
      left = deepest
      call('track', {
        event: 'scroll', properties: { depth: deepest, seconds: Math.round((Date.now() - began) / 1000), path: at }
      })
    }
  }

  function click(event) {
    var target = event.target.closest && event.target.closest('[data-leadlight]:not(form),a[href]')
    if (!target) return
    var said = { text: (target.textContent || '').trim().slice(0, 80), href: target.href, id: target.id }
    for (var name in target.dataset) {
      if (/^leadlight[A-Z]/.test(name)) said[name.slice(9).toLowerCase()] = target.dataset[name]
    }
    call('track', { event: target.dataset.leadlight || 'click', properties: said })
  }

  function submit(event) {
    var form = event.target
    var field = form.querySelector('input[data-leadlight-identify]:not([type=password])')
    call('track', {
      event: form.dataset.leadlight || 'form_submit',
      properties: { form: form.getAttribute('id') || form.getAttribute('name') }
    })
    if (field && /^\S+@\S+$/.test(field.value.trim())) call('identify', { traits: { email: field.value.trim() } })
  }

  /* --------------------------------------------------------------------------------------------- what pages call */

  var verbs = {
    page: page,
    track: function (name, properties) { call('track', { event: name, properties: properties }) },
    group: function (id, traits) { call('group', { groupId: id, traits: traits }) },
    identify: function (id, traits) {
      if (typeof id == 'object') traits = id
      else if (allowed) write('ll_user', id)
      call('identify', { traits: traits })
    },
    reset: forget,
    consent: function (given) {
      var was = allowed
      allowed = given && !refused
      if (!given) forget()
      else if (!was && set.auto != 'off') page()
    }
  }

  function safely(does) {
    return function () { try { return does.apply(0, arguments) } catch (_) { } }
  }

  var run = window.leadlight = safely(function (verb, first, second) { verbs[verb](first, second) })

  if (allowed) safely(function () {
    Object.keys(localStorage).forEach(function (name) {
      if (/^ll_q/.test(name)) {
        queue = JSON.parse(read(name)).concat(queue)
        write(name)
      }
    })
    save()
    if (queue.length) later(0)
  })()
  for (var entry of earlier) run.apply(0, entry)
  if (set.auto != 'off') {
    for (let name of ['pushState', 'replaceState']) {
      let own = history[name]
      history[name] = function () { own.apply(history, arguments); safely(moved)() }
    }
    window.addEventListener('popstate', safely(moved))
    window.addEventListener('scroll', safely(measure), { passive: true })
    document.addEventListener('click', safely(click), true)
    document.addEventListener('submit', safely(submit), true)
    if (!at) safely(page)()
  }
  document.addEventListener('visibilitychange', safely(function () { document.hidden && leave() }))
  window.addEventListener('pagehide', safely(leave))
})(window, document, navigator, location)
