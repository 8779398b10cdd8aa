  // The settings are in the address, after the anchor: `#photo-1&maps=viridis&net=0.2`.
  const address = {
    set(name, value) {
      if (value === "" || value === null || value === undefined) state.delete(name);
      else state.set(name, String(value));
      this.write();
      listeners.forEach((listener) => listener());
    },
    anchor: "",
    write() {
      const view = [...state].map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join("");
      const hash = `#${this.anchor}${view}`;
      // A page in a frame of a notebook has no address of its own.
      try { history.replaceState(null, "", hash === "#" ? "#content" : hash); } catch { /* and keeps its view all the same */ }
    },
    read() {
      const [anchor, ...parts] = location.hash.slice(1).split("&");
      this.anchor = anchor;
      if (parts.length > 0) state.clear();
      for (const part of parts) {
        const [name, value = ""] = part.split("=");
        try { state.set(name, decodeURIComponent(value)); } catch { /* not ours */ }
      }
      listeners.forEach((listener) => listener());
      if (state.size === 0) return;
      this.write();
      if (anchor) document.getElementById(anchor)?.scrollIntoView();
    },
  };
  addEventListener("hashchange", () => address.read());
