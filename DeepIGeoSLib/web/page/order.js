// What is done in the page reaches the server in the order in which it was done.
//
// A view queues what the mouse does, and sends one event when the one before is answered. All else
// trame sends at once: a key that was pressed after a stroke would overtake the stroke. And a value
// that was chosen while the server answers, trame holds back: a stroke that is drawn then would
// overtake the value. Both happen where the server is slow, and there strokes would be lost.
(function () {
  "use strict";

  const MARK = "deepigeos-mark-";
  const LOST = 1000; // ms; a view that has passed no mark and waited for no answer so long is gone
  const views = new Map(); // name of a view -> {mark: passed last, calls: not answered, at: time of the last}
  const waiting = []; // {mark, views: those that have not passed it, send}, in order
  let marks = 0;

  function drain() {
    while (waiting.length && !waiting[0].views.size) waiting.shift().send();
  }

  // Vtk.js hands a key that is released anywhere to the queue of each view; where nothing is queued
  // it is passed on before dispatchEvent returns.
  function mark() {
    const number = ++marks;
    document.dispatchEvent(new KeyboardEvent("keyup", { key: MARK + number }));
    forgetGone();
    return { mark: number, views: new Set([...views.keys()].filter((name) => views.get(name).mark < number)) };
  }

  function passed(name, number) {
    views.get(name).mark = number;
    for (const one of waiting) if (one.mark <= number) one.views.delete(name);
    drain();
  }

  // Nothing waits for a view that was closed, such as the one in 3D.
  function forgetGone() {
    for (const [name, view] of views) {
      if (view.mark === marks || view.calls || Date.now() - view.at < LOST) continue;
      views.delete(name);
      for (const one of waiting) one.views.delete(name);
    }
    drain();
  }

  function lookAgain() {
    forgetGone();
    if (waiting.length) setTimeout(lookAgain, LOST);
  }

  // Call something when all that the mouse did until now is sent, and never before what came earlier.
  function inOrder(call) {
    const marked = mark();
    if (!waiting.length && !marked.views.size) return call();
    return new Promise(function (resolve, reject) {
      if (!waiting.length) setTimeout(lookAgain, LOST);
      waiting.push({ ...marked, send: () => call().then(resolve, reject) });
    });
  }

  function viewEvent(call, method, args, ...more) {
    if (method !== "trame.rca.event") return call(method, args, ...more);
    const [name, , event] = args;
    if (event.type === "StartInteractionEvent" || event.type === "EndInteractionEvent") return Promise.resolve(); // the server has no use for them
    if (!views.has(name)) views.set(name, { mark: marks, calls: 0, at: 0 });
    const view = views.get(name);
    view.at = Date.now();
    if (String(event.key).startsWith(MARK)) {
      passed(name, Number(event.key.slice(MARK.length)));
      return Promise.resolve();
    }
    view.calls += 1;
    const answered = function () { view.calls -= 1; view.at = Date.now(); };
    const answer = call(method, args, ...more);
    answer.then(answered, answered);
    return answer;
  }

  function over(object, changed) {
    const made = Object.create(object);
    for (const name in changed) Object.defineProperty(made, name, { value: changed[name] });
    return made;
  }

  const known = new WeakMap();

  function ordered(client) {
    if (!client || known.has(client)) return client && (known.get(client) || client);
    const made = over(client, {
      getConnection() {
        const connection = client.getConnection();
        return connection && over(connection, {
          getSession() {
            const session = connection.getSession();
            return session && over(session, { call: (...args) => viewEvent(session.call, ...args) });
          },
        });
      },
      getRemote() {
        const remote = client.getRemote();
        if (!remote || !remote.Trame) return remote;
        const trame = remote.Trame;
        return over(remote, {
          Trame: over(trame, {
            trigger(...args) { sendChosen(); return inOrder(() => trame.trigger(...args)); },
            updateState: (...args) => inOrder(() => trame.updateState(...args)),
          }),
        });
      },
    });
    known.set(client, made);
    known.set(made, null);
    return made;
  }

  // Send the values that trame holds back.
  function sendChosen() {
    const state = window.trame.state;
    if (!state || !state.dirtyKeys.size) return;
    const keys = [...state.dirtyKeys];
    state.dirtyKeys.clear();
    const again = () => keys.forEach((key) => state.dirtyKeys.add(key));
    window.trame.client.getRemote().Trame.updateState(keys.map((key) => ({ key, value: state.get(key) }))).catch(again);
  }

  // Trame makes another client and another state when it connects again.
  for (const name of ["client", "state"]) {
    const take = name === "client" ? ordered : function (state) { if (state) state.client = ordered(state.client); return state; };
    let value = take(window.trame[name]);
    Object.defineProperty(window.trame, name, { get: () => value, set: function (next) { value = take(next); }, configurable: true, enumerable: true });
  }

  window.addEventListener("pointerdown", sendChosen, true);
})();
