import streamlit as st

from console.components.bar import bar

bar()
st.title("rules")
