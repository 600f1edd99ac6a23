/**
 * One React for the page. Applications are built with React outside of their files and take it
 * from window; whoever owns the page (the shell, or an application that runs alone) puts it there
 * first.
 */
import React from 'react'
import JsxRuntime from 'react/jsx-runtime'
import ReactDOM from 'react-dom'
import ReactDOMClient from 'react-dom/client'

export function shareReact(): void {
  Object.assign(window, { bourseReact: { React, ReactDOM, ReactDOMClient, JsxRuntime } })
}
